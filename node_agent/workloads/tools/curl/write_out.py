r"""curl's -w: `%{http_code} %{time_total}\n`.

Pure: values in, text out. Source: curl(1), --write-out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import field

from cluster.dataclass import dataclass
from node_agent.workloads.tools.http.times import Times

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_PATTERN = re.compile(r"%\{([^}]*)\}|%%|\\(.)|%header\{([^}]*)\}", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class Result:
    """What a transfer came to."""

    url: str = ""
    url_effective: str = ""
    method: str = "GET"
    scheme: str = "HTTP"
    status: int = 0
    http_version: str = "0"
    content_type: str = ""
    redirect_url: str = ""
    redirects: int = 0
    connects: int = 0
    remote: tuple[str, int] = ("", 0)
    local: tuple[str, int] = ("", 0)
    downloaded: int = 0
    uploaded: int = 0
    header_bytes: int = 0
    request_bytes: int = 0
    times: Times = field(default_factory=Times)
    redirect_seconds: float = 0.0
    total: float = 0.0
    filename: str = ""
    exit_code: int = 0
    error: str = ""
    number: int = 0
    headers: tuple[tuple[str, str], ...] = ()


def variables(result: Result) -> Mapping[str, str]:
    """Every variable and its value."""
    times, total = result.times, result.total
    speed = int(result.downloaded / total) if total > 0 else 0
    return {
        "content_type": result.content_type,
        "errormsg": result.error,
        "exitcode": str(result.exit_code),
        "filename_effective": result.filename,
        "http_code": f"{result.status:03d}",
        "http_connect": "000",
        "http_version": result.http_version,
        "local_ip": result.local[0],
        "local_port": str(result.local[1]),
        "method": result.method,
        "num_connects": str(result.connects),
        "num_headers": str(len(result.headers)),
        "num_redirects": str(result.redirects),
        "redirect_url": result.redirect_url,
        "remote_ip": result.remote[0],
        "remote_port": str(result.remote[1]),
        "response_code": f"{result.status:03d}",
        "scheme": result.scheme,
        "size_download": str(result.downloaded),
        "size_header": str(result.header_bytes),
        "size_request": str(result.request_bytes),
        "size_upload": str(result.uploaded),
        "speed_download": str(speed),
        "speed_upload": str(int(result.uploaded / total) if total > 0 else 0),
        "ssl_verify_result": "0",
        "time_appconnect": _seconds(times.appconnect),
        "time_connect": _seconds(times.connect),
        "time_namelookup": _seconds(times.namelookup),
        "time_pretransfer": _seconds(times.pretransfer),
        "time_redirect": _seconds(result.redirect_seconds),
        "time_starttransfer": _seconds(times.starttransfer),
        "time_total": _seconds(total),
        "url": result.url,
        "url_effective": result.url_effective,
        "urlnum": str(result.number),
    }


def _seconds(value: float) -> str:
    return f"{value:.6f}"


_NUMBERS = {"exitcode", "local_port", "remote_port", "urlnum", "ssl_verify_result"}


def _json(values: Mapping[str, str]) -> str:
    """`%{json}`: all of them."""
    shown: dict[str, object] = {}
    for name, value in sorted(values.items()):
        number = name.startswith(("num_", "size_", "speed_")) or name in _NUMBERS
        number = number or name in ("http_code", "http_connect", "response_code")
        if number:
            shown[name] = int(value)
        elif name.startswith("time_"):
            shown[name] = float(value)
        else:
            shown[name] = value or None
    return json.dumps(shown, separators=(",", ":"))


def _header_json(result: Result) -> str:
    found: dict[str, list[str]] = {}
    for name, value in result.headers:
        found.setdefault(name.lower(), []).append(value)
    return json.dumps(found)


def written(template: str, result: Result) -> list[tuple[bool, str]]:
    """The text, in parts: (whether it goes to standard error, text)."""
    values = variables(result)
    parts: list[tuple[bool, str]] = [(False, "")]
    position = 0

    def add(text: str) -> None:
        stderr, before = parts[-1]
        parts[-1] = (stderr, before + text)

    for found in _PATTERN.finditer(template):
        add(template[position : found.start()])
        position = found.end()
        name, escape, header = found.groups()
        if name in ("stdout", "stderr"):
            parts.append((name == "stderr", ""))
        elif name == "onerror" and not result.exit_code:
            position = len(template)
            break
        elif name is not None:
            add(_variable(name, values, result))
        elif header is not None:
            add(next((v for k, v in result.headers if k.lower() == header.lower()), ""))
        else:
            add(_ESCAPES.get(escape, f"\\{escape}") if escape else "%")
    add(template[position:])
    return [each for each in parts if each[1]]


def _variable(name: str, values: Mapping[str, str], result: Result) -> str:
    if name == "json":
        return _json(values)
    if name == "header_json":
        return _header_json(result)
    return values.get(name, "")


def unknown(template: str) -> list[str]:
    """The variables that curl does not know either: it warns of them."""
    special = {"stdout", "stderr", "json", "header_json", "onerror"}
    known = variables(Result()).keys() | special
    names = (found.group(1) for found in _PATTERN.finditer(template))
    return [name for name in names if name is not None and name not in known]
