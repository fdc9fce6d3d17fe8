"""When each step of a transfer was done.

Pure: values.
"""

from cluster.dataclass import dataclass


@dataclass(slots=True)
class Times:
    """Seconds since the start of a transfer."""

    namelookup: float = 0.0
    connect: float = 0.0
    appconnect: float = 0.0
    pretransfer: float = 0.0
    starttransfer: float = 0.0
