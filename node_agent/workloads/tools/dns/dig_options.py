"""dig's command line.

Pure: words in, values out. Source: dig(1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import field, replace

from cluster.dataclass import dataclass
from cluster.wire.dns import IN, RRType
from node_agent.workloads.tools.dns.records import class_number, reverse_name, type_number

EXIT_USAGE = 1
DIGITS_MAX = 9
USAGE = """Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]

Use "dig -h" (or "dig -h | more") for complete list of options"""

SECTIONS = frozenset({"cmd", "comments", "question", "answer", "authority", "additional", "stats"})
SWITCHES = frozenset({"short", "search", "tcp", "recurse", "edns", "dnssec", "ignore", *SECTIONS})
ALIASES = {"vc": "tcp", "rec": "recurse", "rdflag": "recurse", "do": "dnssec", "defname": "search"}
INDIFFERENT = frozenset(  # they change nothing that is shown or sent here
    {"cookie", "idnin", "idnout", "showsearch", "fail", "keepopen", "adflag", "cdflag", "crypto",
     "badcookie", "aaflag", "aaonly", "onesoa", "expandaaaa"}
)  # fmt: skip
VALUES = {"time": "seconds", "timeout": "seconds", "tries": "tries", "retry": "retry",
          "bufsize": "", "ndots": "ndots"}  # fmt: skip
DEFAULTS = SECTIONS | {"recurse", "edns"}


class DigUsage(Exception):
    """The command line makes no sense: lines for standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One question, and how it is asked and shown."""

    name: str = "."
    type: int = RRType.A
    rr_class: int = IN
    server: str = ""
    port: int = 53
    switches: frozenset[str] = DEFAULTS
    seconds: float = 5.0
    tries: int = 3
    ndots: int | None = None

    def __contains__(self, switch: str) -> bool:
        return switch in self.switches


@dataclass(slots=True)
class Command:
    """What was given."""

    lookups: list[Lookup] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    help: bool = False


class _Reader:
    """Options before the first name hold for all, those after a name for that name alone."""

    def __init__(self) -> None:
        self.command = Command()
        self._given = Lookup()  # for all that follow
        self._named = False

    @property
    def current(self) -> Lookup:
        return self.command.lookups[-1] if self._named else self._given

    def change(self, **changes: object) -> None:
        changed = replace(self.current, **changes)  # type: ignore[arg-type]
        if self._named:
            self.command.lookups[-1] = changed
        else:
            self._given = changed

    def begin(self, name: str, **changes: object) -> None:
        self.command.lookups.append(
            replace(self._given, name=name, **changes)  # type: ignore[arg-type]
        )
        self._named = True

    def word(self, word: str, rest: Iterator[str]) -> None:
        if word.startswith("@"):
            self.change(server=word[1:])
        elif word.startswith("+"):
            self._switch(word)
        elif word.startswith("-") and len(word) > 1:
            self._dash(word, rest)
        elif (type_ := type_number(word)) is not None and word.upper() != "IN":
            self.change(type=type_)
        elif (number := class_number(word)) is not None:
            self.change(rr_class=number)
        else:
            self.begin(word)

    def _switch(self, word: str) -> None:
        name, equals, value = word[1:].lower().partition("=")
        off = name.startswith("no") and name not in SWITCHES
        name = name[2:] if off else name
        name = ALIASES.get(name, name)
        if name == "all":
            shown = frozenset() if off else SECTIONS
            self.change(switches=(self.current.switches - SECTIONS) | shown)
        elif name in VALUES and not off:
            self._number(word, VALUES[name], value)
        elif name in SWITCHES and not (equals and name != "edns"):
            one = frozenset({name})
            before = self.current.switches
            self.change(switches=before - one if off else before | one)
        elif name not in INDIFFERENT:
            raise DigUsage(f"Invalid option: {word}\n{USAGE}")

    def _number(self, word: str, what: str, value: str) -> None:
        if not value.isdecimal() or len(value) > DIGITS_MAX:
            raise DigUsage(f"Couldn't parse {word[1:].partition('=')[0]} '{value}'")
        number = min(int(value), 3600)
        if what == "retry":
            self.change(tries=number + 1)
        elif what == "seconds":
            self.change(seconds=max(1, number))
        elif what:
            self.change(**{what: max(1, number)})

    def _dash(self, word: str, rest: Iterator[str]) -> None:
        letter, value = word[1], word[2:]
        if letter in "46umirv" and letter != "r":
            return
        if letter in "hr":
            self.command.help = self.command.help or letter == "h"
            return
        if letter not in "tqxpcb":
            raise DigUsage(f"Invalid option: {word}\n{USAGE}")
        value = value or next(rest, "")
        if not value:
            raise DigUsage(f"Invalid option: {word}\n{USAGE}")
        self._valued(letter, value)

    def _valued(self, letter: str, value: str) -> None:
        match letter:
            case "q":
                self.begin(value)
            case "x":
                name = reverse_name(value)
                if name is None:
                    raise DigUsage(f"Invalid IP address {value}")
                self.begin(name, type=RRType.PTR)
            case "p":
                if not value.isdecimal() or len(value) > 5 or not 0 < int(value) <= 65535:
                    raise DigUsage(f"Couldn't parse port number '{value}'")
                self.change(port=int(value))
            case "t":
                number = type_number(value)
                if number is None:
                    self.command.warnings.append(f";; Warning, ignoring invalid type {value}")
                else:
                    self.change(type=number)
            case "c":
                self.change(rr_class=class_number(value) or IN)

    def read(self, words: Sequence[str]) -> Command:
        rest = iter(words)
        for word in rest:
            self.word(word, rest)
        if not self.command.lookups:
            root = self._given.type if self._given.type != RRType.A else RRType.NS
            self.command.lookups.append(replace(self._given, name=".", type=root))
        return self.command


def parse_dig(words: Sequence[str]) -> Command:
    """Read a command line; DigUsage."""
    return _Reader().read(words)
