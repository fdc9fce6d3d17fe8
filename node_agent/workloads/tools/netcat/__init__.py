"""`nc`: bytes from here to there and back, by TCP and UDP, as OpenBSD's netcat does it."""
