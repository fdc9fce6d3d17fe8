"""What `kubehop curl` puts out of an answer, as curl would: head, body, -w.

Pure: an answer in, bytes out.
Source: curl's manual, https://curl.se/docs/manpage.html.
"""

import re
from collections.abc import Mapping

from cluster.traffic.response import Response

_VARIABLE = re.compile(r"%\{([^}]*)\}|%%|\\n|\\t|\\r")
_ESCAPES = {"%%": "%", "\\n": "\n", "\\t": "\t", "\\r": "\r"}


def head_of(response: Response) -> bytes:
    """Status line and headers, as they came."""
    lines = [f"HTTP/{response.version} {response.status} {response.reason}".rstrip()]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1", "replace")


def output_of(response: Response, *, include: bool, head_only: bool, fail: bool) -> bytes:
    """What goes to standard output."""
    if fail and response.status >= 400:
        return b""
    head = head_of(response) if include or head_only else b""
    return head if head_only else head + response.body


def variables_of(response: Response) -> Mapping[str, str]:
    """What -w can say."""
    return {
        "http_code": f"{response.status:03d}",
        "response_code": f"{response.status:03d}",
        "http_version": response.version,
        "content_type": response.header("Content-Type"),
        "size_download": str(len(response.body)),
        "time_total": f"{response.seconds:.6f}",
        "flow_id": next(iter(response.flow_ids), ""),
    }


def write_out(template: str, variables: Mapping[str, str]) -> str:
    """curl's -w: %{name}, %%, \\n, \\t, \\r; an unknown name is nothing."""

    def one(match: re.Match[str]) -> str:
        name = match.group(1)
        return _ESCAPES[match.group()] if name is None else variables.get(name, "")

    return _VARIABLE.sub(one, template)
