"""curl's command line: which options there are, and what was given.

Pure: words in, values out. An option that curl has and this one does not is refused in curl's own
words for a library that was built without it; so nothing is ignored in silence.
Source: curl(1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import field

from cluster.dataclass import dataclass
from node_agent.workloads.tools.curl.glob import TooMany, expanded

EXIT_USAGE = 2
DIGITS_MAX = 15
HINT = "curl: try 'curl --help' or 'curl --manual' for more information"

FLAGS = {
    "silent": "s", "show-error": "S", "verbose": "v", "include": "i", "head": "I", "fail": "f",
    "remote-name": "O", "location": "L", "insecure": "k", "get": "G", "no-buffer": "N",
    "globoff": "g", "ipv4": "4", "ipv6": "6", "http1.1": "", "compressed": "",
    "fail-with-body": "", "retry-connrefused": "", "retry-all-errors": "", "no-progress-meter": "",
    "location-trusted": "", "create-dirs": "", "path-as-is": "", "basic": "",
    "tcp-nodelay": "", "no-keepalive": "", "fail-early": "", "tlsv1.2": "",
    "disable": "q", "progress-bar": "#", "version": "V", "help": "h", "post301": "", "post302": "",
    "junk-session-cookies": "j", "no-sessionid": "", "no-alpn": "",
    "styled-output": "", "http2": "", "tlsv1": "1", "verify": "", "keepalive": "", "buffer": "",
}  # fmt: skip
VALUES = {
    "output": "o", "write-out": "w", "request": "X", "header": "H", "data": "d", "data-raw": "",
    "data-binary": "", "data-ascii": "", "data-urlencode": "", "json": "", "user": "u",
    "cacert": "", "connect-timeout": "", "max-time": "m", "retry": "", "retry-delay": "",
    "retry-max-time": "", "user-agent": "A", "referer": "e", "cookie": "b", "resolve": "",
    "connect-to": "", "upload-file": "T", "max-redirs": "", "url": "", "range": "r",
    "output-dir": "", "max-filesize": "", "oauth2-bearer": "", "request-target": "",
    "noproxy": "", "keepalive-time": "",
}  # fmt: skip
REFUSED = {
    "proxy": "x", "interface": "", "form": "F", "form-string": "", "cookie-jar": "c", "cert": "E",
    "key": "", "socks5": "", "socks5-hostname": "", "proxy-user": "U", "unix-socket": "",
    "config": "K", "next": ":", "parallel": "Z", "limit-rate": "", "http2-prior-knowledge": "",
    "http3": "", "negotiate": "", "digest": "", "ntlm": "", "trace": "", "trace-ascii": "",
    "dump-header": "D", "continue-at": "C", "local-port": "", "dns-servers": "", "netrc": "n",
    "quote": "Q", "time-cond": "z", "telnet-option": "t", "capath": "", "doh-url": "",
    "speed-time": "y", "speed-limit": "Y", "stderr": "", "http1.0": "0", "raw": "", "anyauth": "",
    "tlsv1.3": "", "remote-header-name": "J", "list-only": "l", "use-ascii": "B",
    "proxytunnel": "p",
}  # fmt: skip
REPEATED = {"header", "output", "resolve", "connect-to", "url", "data", "cookie"}
BODY = ("data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json")
NUMBERS = {"connect-timeout", "max-time", "retry-delay", "retry-max-time"}
COUNTS = {"retry", "max-redirs", "max-filesize"}

_LETTERS = {
    letter: name for table in (FLAGS, VALUES, REFUSED) for name, letter in table.items() if letter
}
_KNOWN = (*FLAGS, *VALUES, *REFUSED)


class CurlUsage(Exception):
    """The command line makes no sense; lines for standard error, as curl writes them."""

    def __init__(self, *lines: str, code: int = EXIT_USAGE) -> None:
        super().__init__("\n".join((*lines, HINT)))
        self.code = code


@dataclass(slots=True)
class CurlOptions:
    """What was given."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)  # the last value of each
    lists: dict[str, list[str]] = field(default_factory=dict)  # of those that may come again
    body: list[tuple[str, str]] = field(default_factory=list)  # ("data", "a=b"), in order
    urls: list[str] = field(default_factory=list)
    outputs: list[str | None] = field(default_factory=list)  # -o FILE, or None for -O, in order

    def __contains__(self, name: str) -> bool:
        return name in self.flags

    def number(self, name: str, default: float = 0.0) -> float:
        """The value of an option as a number."""
        return float(self.values.get(name, default))

    def all(self, name: str) -> list[str]:
        """Every value of an option."""
        return self.lists.get(name, [])

    @property
    def quiet(self) -> bool:
        """Whether errors are kept back: -s without -S."""
        return "silent" in self.flags and "show-error" not in self.flags


def parse_options(words: Sequence[str]) -> CurlOptions:
    """Read a command line; CurlUsage."""
    options = CurlOptions()
    rest = iter(words)
    for word in rest:
        if word == "--":
            options.urls += list(rest)
        elif word.startswith("--"):
            _long(word, rest, options)
        elif word.startswith("-") and len(word) > 1:
            _letters(word, rest, options)
        else:
            options.urls.append(word)
    options.urls += options.all("url")
    if "globoff" not in options:
        options.urls = _globbed(options.urls)
    if not options.urls and not options.flags & {"help", "version"}:
        raise CurlUsage("curl: no URL specified!") if words else CurlUsage()
    return options


def _globbed(urls: Sequence[str]) -> list[str]:
    try:
        return [each for url in urls for each in expanded(url)]
    except TooMany as error:
        raise CurlUsage(f"curl: (3) too many URLs: {error}", code=3) from None


def _long(word: str, rest: Iterator[str], options: CurlOptions) -> None:
    name = _named(word)
    if name in VALUES:
        _value(name, word, next(rest, None), options)
    else:
        _flag(name, word, options)


def _named(word: str) -> str:
    """The option that a word means: curl takes any beginning that is one's alone."""
    name = word[2:]
    if name in _KNOWN:
        return name
    found = [each for each in _KNOWN if each.startswith(name)]
    if name.startswith("no-") and name[3:] in FLAGS:
        return name
    if not name or not found:
        raise CurlUsage(f"curl: option {word}: is unknown")
    if len(found) > 1:
        raise CurlUsage(f"curl: option {word}: is ambiguous")
    return found[0]


def _letters(word: str, rest: Iterator[str], options: CurlOptions) -> None:
    for index, letter in enumerate(word[1:], 1):
        name = _LETTERS.get(letter)
        shown = word if len(word) == 2 else f"-{letter}"
        if name is None:
            raise CurlUsage(f"curl: option {shown}: is unknown")
        if name in VALUES:
            _value(name, shown, word[index + 1 :] or next(rest, None), options)
            return
        _flag(name, shown, options)


def _flag(name: str, word: str, options: CurlOptions) -> None:
    if name in REFUSED:
        raise CurlUsage(f"curl: option {word}: the installed libcurl version doesn't support this")
    if name.startswith("no-") and name not in FLAGS:
        options.flags.discard(name[3:])
        return
    options.flags.add(name)
    if name == "remote-name":
        options.outputs.append(None)


def _value(name: str, word: str, value: str | None, options: CurlOptions) -> None:
    if value is None:
        raise CurlUsage(f"curl: option {word}: requires parameter")
    _check(name, word, value)
    if name in BODY:
        options.body.append((name, value))
    elif name in REPEATED:
        options.lists.setdefault(name, []).append(value)
    if name == "output":
        options.outputs.append(value)
    options.values[name] = value


def _check(name: str, word: str, value: str) -> None:
    if name == "cookie" and "=" not in value:
        text = "cookie files are not served here, give NAME=VALUE"
        raise CurlUsage(f"curl: option {word}: {text}")
    whole = value.isdecimal() and len(value) <= DIGITS_MAX
    if name in COUNTS and not (whole or (name == "max-redirs" and value == "-1")):
        raise CurlUsage(f"curl: option {word}: expected a proper numerical parameter")
    if name in NUMBERS:
        try:
            known = 0 <= float(value) < 1e9
        except ValueError:
            known = False
        if not known:
            raise CurlUsage(f"curl: option {word}: expected a proper numerical parameter")
