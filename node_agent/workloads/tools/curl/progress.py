"""curl's progress meter, which it shows whenever standard output is no terminal.

Pure: numbers in, text out. Source: curl(1), PROGRESS METER.
"""

HEAD = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
)
_UNITS = "kMGTP"


def amount(count: int) -> str:
    """A number in five columns."""
    if count < 100000:
        return f"{count:5d}"
    value = count
    for unit in _UNITS:
        value //= 1024
        if value < 10000:
            return f"{value:4d}{unit}"
    return f"{value:4d}{_UNITS[-1]}"


def clock(seconds: int) -> str:
    """A time in eight columns; none when it is not known."""
    if seconds <= 0:
        return "--:--:--"
    return f"{seconds // 3600:2d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def row(received: int, expected: int | None, sent: int, to_send: int, seconds: float) -> str:
    """One state of the meter."""
    total = (expected or 0) + to_send
    down, up = (int(each / seconds) if seconds > 0 else 0 for each in (received, sent))
    whole = _percent(received + sent, total)
    return (
        f"\r{whole:3d} {amount(total)}  {_percent(received, expected or 0):3d} {amount(received)}  "
        f"{_percent(sent, to_send):3d} {amount(sent)} {amount(down):>6} {amount(up):>6} "
        f"{clock(int(total / (down + up)) if down + up else 0)} {clock(int(seconds))} "
        f"{clock(0)} {amount(down)}"
    )


def _percent(part: int, whole: int) -> int:
    return part * 100 // whole if whole else 0
