"""Numbers of a range, given out on request or drawn: what Services' addresses and ports come from.

Pure: state only; chance is handed in.
The range has two bands. Draws come from the upper one, so that the lower is left to those who ask
for a number of their own; only when the upper is full is the lower drawn from (S-26, S-33).
"""

from collections.abc import Callable, Iterable

from cluster.errors import PoolExhausted

Draw = Callable[[int], int]  # draw(n) is one of 0 .. n-1


class Bands:
    """The numbers from `first` on, `count` of them, the lowest `static` kept for explicit use."""

    def __init__(self, first: int, count: int, static: int, draw: Draw) -> None:
        self._first = first
        self._static = static if static < count else 0
        self._count = count
        self._draw = draw
        self._taken: set[int] = set()

    def __contains__(self, number: object) -> bool:
        """Whether a number lies in the range, free or not."""
        return isinstance(number, int) and 0 <= number - self._first < self._count

    def claim(self, number: int) -> bool:
        """Take this number; False if it is taken."""
        assert number in self, f"{number} lies outside of the range"
        if number in self._taken:
            return False
        self._taken.add(number)
        return True

    def draw(self) -> int:
        """Take some free number; PoolExhausted when there is none."""
        for start, end in ((self._static, self._count), (0, self._static)):
            number = self._free_within(start, end)
            if number is not None:
                self._taken.add(number)
                return number
        raise PoolExhausted("range is full")

    def release(self, numbers: Iterable[int]) -> None:
        """Give numbers back."""
        self._taken.difference_update(numbers)

    def clear(self) -> None:
        """Give everything back."""
        self._taken.clear()

    def _free_within(self, start: int, end: int) -> int | None:
        size = end - start
        begin = self._draw(size) if size else 0
        for step in range(size):
            number = self._first + start + (begin + step) % size
            if number not in self._taken:
                return number
        return None


def static_band(count: int, *, share: int, most: int) -> int:
    """How many of `count` numbers are left to explicit use: a share of them, 16 at least."""
    return 0 if count <= 16 else min(max(16, count // share), most)
