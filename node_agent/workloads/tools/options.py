"""The options of a tool, as getopt reads them: `-la`, `-n3`, `-n 3`, `--lines=3`, `--`.

Pure: words in, a value out. What is wrong is said as the real tools say it, with exit code 1 (2 for
those that use it).
"""

from collections.abc import Sequence

from cluster.dataclass import dataclass


class UsageError(Exception):
    """The words make no sense to the tool."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Options:
    """What was given: the last value of each option, all values in order, and what is no option."""

    given: tuple[tuple[str, str], ...]  # ("l", "") or ("lines", "3"), in order
    operands: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        return any(each == name for each, _ in self.given)

    def any_of(self, names: str) -> bool:
        """Whether one of several letters was given."""
        return any(each in names for each, _ in self.given if len(each) == 1)

    def value(self, name: str, default: str = "") -> str:
        """The last value of an option."""
        return next((value for each, value in reversed(self.given) if each == name), default)

    def values(self, name: str) -> list[str]:
        """Every value of an option, in order."""
        return [value for each, value in self.given if each == name]

    def number(self, name: str, default: int) -> int:
        """The value of an option as a number."""
        text = self.value(name, str(default))
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"invalid number '{text}'") from None


def parse(
    words: Sequence[str],
    letters: str = "",
    long: str = "",
    *,
    mixed: bool = True,
    code: int = 1,
) -> Options:
    """Read options: `letters` as getopt has them ("al:n:"), `long` as "all=a lines:=n colour".

    `lines:` takes a value, `=n` says which letter it is another name of. With `mixed` options may
    follow operands; without, the first operand ends them (`env`, `xargs`, `sh`).
    """
    return _Reader(list(words), letters, _long_table(long), mixed, code).read()


def _long_table(long: str) -> dict[str, tuple[str, bool]]:
    table = {}
    for each in long.split():
        name, _, alias = each.partition("=")
        table[name.rstrip(":")] = (alias or name.rstrip(":"), name.endswith(":"))
    return table


class _Reader:
    def __init__(
        self,
        words: list[str],
        letters: str,
        long: dict[str, tuple[str, bool]],
        mixed: bool,
        code: int,
    ) -> None:
        self._words = words
        self._letters = letters
        self._long = long
        self._mixed = mixed
        self._code = code
        self._given: list[tuple[str, str]] = []

    def read(self) -> Options:
        operands: list[str] = []
        while self._words:
            word = self._words.pop(0)
            if word == "--":
                operands += self._words
                break
            if word.startswith("--"):
                self._long_option(word)
            elif word.startswith("-") and len(word) > 1:
                self._cluster(word[1:])
            else:
                operands.append(word)
                if not self._mixed:
                    operands += self._words
                    break
        return Options(tuple(self._given), tuple(operands))

    def _long_option(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        matches = [name] if name in self._long else [n for n in self._long if n.startswith(name)]
        if len(matches) != 1:
            raise UsageError(f"unrecognized option '{word}'", self._code)
        option, takes_value = self._long[matches[0]]
        if not takes_value and equals:
            text = f"option '--{matches[0]}' doesn't allow an argument"
            raise UsageError(text, self._code)
        if takes_value and not equals:
            if not self._words:
                text = f"option '--{matches[0]}' requires an argument"
                raise UsageError(text, self._code)
            value = self._words.pop(0)
        self._given.append((option, value))

    def _cluster(self, cluster: str) -> None:
        for index, letter in enumerate(cluster):
            at = self._letters.find(letter) if letter != ":" else -1
            if at < 0:
                raise UsageError(f"invalid option -- '{letter}'", self._code)
            if self._letters[at + 1 : at + 2] != ":":
                self._given.append((letter, ""))
                continue
            value = cluster[index + 1 :]
            if not value:
                if not self._words:
                    text = f"option requires an argument -- '{letter}'"
                    raise UsageError(text, self._code)
                value = self._words.pop(0)
            self._given.append((letter, value))
            return
