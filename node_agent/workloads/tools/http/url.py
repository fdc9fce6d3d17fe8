"""URLs as people type them for curl and wget: `web`, `web:8080/path?q=1`, `https://u:p@web/`.

Pure: text in, values out. Spec: RFC 3986.
"""

from urllib.parse import unquote, urljoin, urlsplit

from cluster.dataclass import dataclass

PORTS = {"http": 80, "https": 443}
PORT_MAX = 65535
URL_CHARACTERS_MAX = 65536


class BadUrl(ValueError):
    """This is no URL."""


class BadScheme(ValueError):
    """Its scheme is none that is spoken here; the text is the scheme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """Where a request goes."""

    scheme: str
    host: str  # an IPv6 address without its brackets
    port: int
    target: str  # path and query, as they are sent
    user: str | None = None  # "name:password", decoded
    text: str

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def joined(self, location: str) -> str:
        """Where a Location header leads from here."""
        return urljoin(self.text, location.strip().replace(" ", "%20"))


def parse_url(text: str) -> Url:
    """Read a URL; without a scheme it is http. BadUrl, BadScheme."""
    if len(text) > URL_CHARACTERS_MAX or any(ord(each) <= 32 or each == "\x7f" for each in text):
        raise BadUrl(text)
    full = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(full)
        port = parts.port
    except ValueError as error:
        raise BadUrl(text) from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise BadScheme(scheme or full.partition("://")[0])
    if not parts.hostname or port == 0:
        raise BadUrl(text)
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    return Url(
        scheme=scheme,
        host=_host(parts.netloc),
        port=port or PORTS[scheme],
        target=_ascii(target),
        user=_user(parts.username, parts.password),
        text=_with_path(full, parts.netloc, parts.path),
    )


def _host(netloc: str) -> str:
    """The host as it was typed: `hostname` would make it lower case."""
    host = netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _user(name: str | None, password: str | None) -> str | None:
    return None if name is None else f"{unquote(name)}:{unquote(password or '')}"


def _with_path(full: str, netloc: str, path: str) -> str:
    head, _, rest = full.partition("://")
    return full if path else f"{head}://{netloc}/{rest[len(netloc) :]}"


def _ascii(target: str) -> str:
    """Bytes beyond ASCII are sent percent-encoded."""
    return "".join(
        each if each.isascii() else "".join(f"%{byte:02X}" for byte in each.encode("utf-8"))
        for each in target
    )
