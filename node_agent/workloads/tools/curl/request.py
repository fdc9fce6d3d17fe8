"""From curl's options to the request that is sent: method, headers, body.

Pure: values in, values out. Source: curl(1).
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import quote_plus

from cluster.dataclass import dataclass
from node_agent.workloads.tools.curl.options import CurlOptions
from node_agent.workloads.tools.http.url import Url, parse_url

VERSION = "7.88.1"
AGENT = f"curl/{VERSION}"
FORM = "application/x-www-form-urlencoded"
REDIRECTS = (301, 302, 303, 307, 308)
EXPECT_BYTES = 1024 * 1024  # a larger body asks first (Expect: 100-continue)

ReadFile = Callable[[str], bytes]  # "-" is standard input


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    url: Url
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None

    @property
    def asks_first(self) -> bool:
        """Whether the body waits for the server's 100 Continue."""
        return any(name.lower() == "expect" for name, _ in self.headers)


def body_of(options: CurlOptions, read: ReadFile) -> bytes | None:
    """The body that the -d family or -T gives; None without any."""
    if "upload-file" in options.values:
        path = options.values["upload-file"]
        return read("-" if path == "." else path)
    if not options.body:
        return None
    parts = [_part(name, value, read) for name, value in options.body]
    return b"".join(parts) if options.body[0][0] == "json" else b"&".join(parts)


def _part(name: str, value: str, read: ReadFile) -> bytes:
    if name == "data-urlencode":
        return _encoded(value, read)
    if name == "data-raw" or not value.startswith("@"):
        return value.encode("utf-8", "surrogateescape")
    data = read(value[1:])
    if name in ("data-binary", "json"):
        return data
    return data.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")


def _encoded(value: str, read: ReadFile) -> bytes:
    """`content`, `=content`, `name=content`, `@file`, `name@file`."""
    at, equals = value.find("@"), value.find("=")
    if equals >= 0 and (at < 0 or equals < at):
        name, content = value[:equals], value[equals + 1 :].encode()
    elif at >= 0:
        name, content = value[:at], read(value[at + 1 :])
    else:
        name, content = "", value.encode()
    return (f"{name}=" if name else "").encode() + quote_plus(content).replace("+", "%20").encode()


def request_of(options: CurlOptions, url: Url, body: bytes | None) -> Request:
    """The first request for a URL."""
    if "get" in options and body is not None and "upload-file" not in options.values:
        mark = "&" if "?" in url.target else "?"
        url = replace(url, target=f"{url.target}{mark}{body.decode('utf-8', 'replace')}")
        body = None
    method = options.values.get("request") or _method(options, body)
    headers = _headers(options, url, body)
    return Request(url=url, method=method, headers=tuple(headers), body=body)


def _method(options: CurlOptions, body: bytes | None) -> str:
    if "head" in options:
        return "HEAD"
    if "upload-file" in options.values:
        return "PUT"
    return "GET" if body is None else "POST"


def _headers(options: CurlOptions, url: Url, body: bytes | None) -> list[tuple[str, str]]:
    """curl's own headers in its order, then the user's; `-H "Name:"` takes one of curl's away."""
    is_json = any(name == "json" for name, _ in options.body)
    user = options.values.get("user") or url.user
    own = [
        ("Host", url.authority),
        ("Authorization", basic(user) if user else ""),
        ("Authorization", _bearer(options)),
        ("Range", f"bytes={options.values['range']}" if "range" in options.values else ""),
        ("User-Agent", options.values.get("user-agent", AGENT)),
        ("Accept", "application/json" if is_json else "*/*"),
        ("Accept-Encoding", "gzip, deflate" if "compressed" in options else ""),
        ("Referer", options.values.get("referer", "")),
        ("Cookie", "; ".join(options.all("cookie"))),
    ]
    if body is not None:
        own.append(("Content-Length", str(len(body))))
    if body is not None and "upload-file" not in options.values:
        own.append(("Content-Type", "application/json" if is_json else FORM))
    if body is not None and len(body) > EXPECT_BYTES:
        own.append(("Expect", "100-continue"))
    return _merged([each for each in own if each[1]], options.all("header"))


def _merged(own: list[tuple[str, str]], given: Sequence[str]) -> list[tuple[str, str]]:
    added: list[tuple[str, str]] = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon:  # "Name;" sends the header empty
            name, value = text.rstrip(";"), ""
            if not text.endswith(";"):
                continue
        elif not value.strip():
            own = [each for each in own if each[0].lower() != name.lower()]
            continue
        replaced = name.lower() == "host"
        own = [
            (name, value.strip()) if replaced and each[0] == "Host" else each
            for each in own
            if replaced or each[0].lower() != name.lower()
        ]
        if not replaced:
            added.append((name, value.strip()))
    length = next((index for index, each in enumerate(own) if each[0] == "Content-Length"), None)
    at = len(own) if length is None else length
    return own[:at] + added + own[at:]


def _bearer(options: CurlOptions) -> str:
    token = options.values.get("oauth2-bearer")
    return f"Bearer {token}" if token else ""


def basic(user: str) -> str:
    """The value of Authorization for "name:password"."""
    text = user if ":" in user else f"{user}:"
    return f"Basic {base64.b64encode(text.encode()).decode('ascii')}"


def redirected(request: Request, status: int, location: str, options: CurlOptions) -> Request:
    """The request that follows a redirect; BadUrl, BadScheme where it leads nowhere."""
    url = parse_url(request.url.joined(location))
    custom = options.values.get("request")
    posted = request.method == "POST" and not custom
    kept = status in (307, 308) or (status == 303 and request.method == "HEAD")
    kept = kept or f"post{status}" in options.flags
    drops = (posted or (status == 303 and request.method != "GET" and not custom)) and not kept
    body = None if drops else request.body
    method = "GET" if drops else request.method
    same = (url.host, url.port) == (request.url.host, request.url.port)
    secret = {"authorization", "cookie"} if not same and "location-trusted" not in options else ()
    gone = {"content-length", "content-type", "expect"} if body is None else set()
    headers = tuple(
        ("Host", url.authority) if name == "Host" else (name, value)
        for name, value in request.headers
        if name.lower() not in secret and name.lower() not in gone
    )
    return Request(url=url, method=method, headers=headers, body=body)
