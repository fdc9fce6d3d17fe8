"""The example application: unmodified aiohttp programs that run as pods."""
