"""The answer to an HTTP request, and the flows that it took.

Pure: no I/O.
"""

import json
from email.message import Message
from typing import Any

from cluster.dataclass import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back; headers in the order and spelling of the server."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    flow_ids: tuple[str, ...]
    seconds: float  # from the first try to connect to the last byte
    version: str = "1.1"

    def header(self, name: str, default: str = "") -> str:
        """The first header of this name, however it is spelled."""
        wanted = name.lower()
        return next((value for each, value in self.headers if each.lower() == wanted), default)

    @property
    def text(self) -> str:
        """The body as text: in the charset the server named, else UTF-8; never fails."""
        try:
            return self.body.decode(_charset(self.header("Content-Type")), "replace")
        except LookupError:  # a charset that nobody knows
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError when it is not."""
        return json.loads(self.body)


def _charset(content_type: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    return str(message.get_content_charset("utf-8"))
