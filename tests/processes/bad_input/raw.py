"""A client that sends whatever bytes it likes, and what may be answered to it."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

SECONDS_MAX = 30.0
JSON = "application/json"
MAPS = "/api/v1/namespaces/default/configmaps"


class Control(Protocol):
    socket: Path
    process: Any
    bind: str

    def start(self) -> dict[str, Any]: ...
    def stop(self) -> int: ...
    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any: ...
    def faults(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or the part of it that came."""

    code: int
    media_type: str
    body: bytes

    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.body)
        return made


def opened(control: Control) -> socket.socket:
    """A connection on which nothing has been said."""
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(control.socket))  # which waits for its turn, as one with a timeout would not
    made.settimeout(SECONDS_MAX)
    return made


def head(method: str, target: str | bytes, *headers: bytes, length: int | None = None) -> bytes:
    """A request's head; its target and headers as they are given."""
    named = target.encode() if isinstance(target, str) else target
    lines = [method.encode() + b" " + named + b" HTTP/1.1", b"Host: api", *headers]
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def answer_of(connection: socket.socket) -> Answer:
    """The next answer, to its end."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    with response:
        body = response.read()
        return Answer(response.status, response.headers.get("Content-Type", ""), body)


def exchange(control: Control, data: bytes) -> Answer:
    """One request on a connection of its own; the server may answer before it has read it all."""
    with opened(control) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)  # or it has answered already, which can still be read
        return answer_of(connection)


def send(
    control: Control, method: str, target: str | bytes, body: bytes = b"", media_type: str = JSON
) -> Answer:
    """One request with a body."""
    typed = f"Content-Type: {media_type}".encode()
    return exchange(control, head(method, target, typed, length=len(body)) + body)


def everything(connection: socket.socket) -> bytes:
    """All that still comes, to the end of the connection, however it ends."""
    parts: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def check(answer: Answer, what: object) -> None:
    """Done, or refused in words: no fault of the server's, and no look into it."""
    assert answer.code < 500 or _is_of_the_future(answer), (what, answer)
    assert b"Traceback" not in answer.body, (what, answer)
    assert b'.py", line' not in answer.body, (what, answer)
    if answer.code >= 400 and answer.media_type.startswith(JSON):
        status = answer.document()
        assert (status["kind"], status["code"]) == ("Status", answer.code), (what, answer)
        assert status["message"] and status["reason"], (what, answer)
    elif answer.code >= 400:  # what is no HTTP has no Status, upstream neither
        assert answer.code == 400 and answer.media_type.startswith("text/plain"), (what, answer)


def _is_of_the_future(answer: Answer) -> bool:
    """A version that is not there yet is a Timeout, by the API's own rules."""
    return answer.code == 504 and answer.document()["reason"] == "Timeout"


def check_all(answers: Iterable[tuple[object, Answer]]) -> set[int]:
    """Check each; the codes that there were."""
    codes = set()
    for what, answer in answers:
        check(answer, what)
        codes.add(answer.code)
    return codes
