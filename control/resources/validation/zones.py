"""Which time zones there are, as the machine knows them.

Reads the machine's database of zones, which does not change while the program runs; imported
lazily, for few documents name one.
"""

from functools import lru_cache

NAME_MAX = 100


@lru_cache(maxsize=1024)
def known_zone(name: str) -> bool:
    """Whether a name is one of a time zone."""
    from zoneinfo import ZoneInfo

    if len(name) > NAME_MAX:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
