"""curl's options, as far as they make sense here, and the request they ask for.

Pure: options in, a request out; files for `-d @FILE` and `-o` are the shell's.
Source: curl's manual, https://curl.se/docs/manpage.html.
"""

import argparse
import base64
from collections.abc import Callable
from typing import Any

from cluster.dataclass import dataclass
from cluster.errors import ConfigError

SECONDS_DEFAULT = 10.0
FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
UDP_SCHEME = "udp://"

ReadFile = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurlRequest:
    """What goes out."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_seconds: float

    @property
    def datagram(self) -> bool:
        """Whether the URL is udp://HOST:PORT: one datagram out, its reply back."""
        return self.url.startswith(UDP_SCHEME)


class _Data(argparse.Action):
    """Options of data in the order they were given: they are joined in that order."""

    def __call__(
        self, parser: Any, namespace: Any, values: Any, option_string: str | None = None
    ) -> None:
        given = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*given, (self.metavar, values)])


DATA, RAW, BINARY, JSON = "DATA", "RAW", "BINARY", "JSON"


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
    """curl's own options."""
    group = parser.add_argument_group("the request, as curl has it")
    add = group.add_argument
    add("-X", "--request", metavar="METHOD", help="GET, or POST with data, if not given")
    add("-H", "--header", action="append", default=[], metavar="NAME: VALUE")
    add("-d", "--data", dest="data", action=_Data, metavar=DATA, help="@FILE reads a file")
    add("--data-raw", dest="data", action=_Data, metavar=RAW, help="@ is nothing special")
    add("--data-binary", dest="data", action=_Data, metavar=BINARY, help="line ends are kept")
    add("--json", dest="data", action=_Data, metavar=JSON, help="with the headers of JSON")
    add("-A", "--user-agent", metavar="NAME")
    add("-u", "--user", metavar="USER:PASSWORD", help="basic authentication")
    add("-I", "--head", action="store_true", help="ask for the headers only")
    add(
        "-m",
        "--max-time",
        type=_seconds,
        default=SECONDS_DEFAULT,
        metavar="SECONDS",
        help="give up after so long (default: 10; curl itself would wait for minutes)",
    )


def request_of(options: argparse.Namespace, read_file: ReadFile) -> CurlRequest:
    """The request; ConfigError says which option is wrong."""
    data = options.data or []
    body = _body(data, read_file)
    headers = _headers(options, data)
    if options.url.startswith(UDP_SCHEME) and (options.request or options.head or options.header):
        raise ConfigError("udp:// sends one datagram: it has no method and no headers, only -d")
    default = "HEAD" if options.head else "POST" if data else "GET"
    return CurlRequest(
        url=options.url,
        method=options.request or default,
        headers=tuple(headers),
        body=body,
        timeout_seconds=options.max_time,
    )


def _body(data: list[tuple[str, str]], read_file: ReadFile) -> bytes:
    """Several are joined by "&", as fields of a form are; JSON is joined as it is."""
    parts = [_part(kind, text, read_file) for kind, text in data]
    as_json = any(kind == JSON for kind, _ in data)
    return (b"" if as_json else b"&").join(parts)


def _part(kind: str, text: str, read_file: ReadFile) -> bytes:
    if kind == RAW or not text.startswith("@"):
        return text.encode()
    content = read_file(text[1:])
    if kind == DATA:
        return content.replace(b"\r", b"").replace(b"\n", b"")
    return content


def _headers(options: argparse.Namespace, data: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """curl's defaults, then what was given: "Name:" takes a default away, "Name;" is empty."""
    defaults = {"User-Agent": options.user_agent or "kubehop", "Accept": "*/*"}
    if any(kind == JSON for kind, _ in data):
        defaults |= {"Content-Type": JSON_TYPE, "Accept": JSON_TYPE}
    elif data:
        defaults["Content-Type"] = FORM
    if options.user:
        token = base64.b64encode(options.user.encode()).decode("ascii")
        defaults["Authorization"] = f"Basic {token}"
    given = [_header(text) for text in options.header]
    named = {name.lower() for name, _ in given}
    kept = [(name, value) for name, value in defaults.items() if name.lower() not in named]
    return kept + [(name, value) for name, value in given if value is not None]


def _header(text: str) -> tuple[str, str | None]:
    name, colon, value = text.partition(":")
    if colon:
        return name.strip(), value.strip() or None
    if text.endswith(";"):
        return text[:-1].strip(), ""
    raise ConfigError(f"-H {text!r} is no header: write 'NAME: VALUE'")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 3600")
    return seconds
