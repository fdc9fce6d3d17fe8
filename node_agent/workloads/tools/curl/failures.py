"""What went wrong, as curl says it: exit codes and their texts.

Pure: values in, values out. Source: curl(1), EXIT CODES; libcurl-errors(3).
"""

MALFORMED, UNSUPPORTED, RESOLVE, CONNECT = 3, 1, 6, 7
PARTIAL, HTTP_ERROR, WRITE, READ, TIMED_OUT = 18, 22, 23, 26, 28
TLS_CONNECT, REDIRECTS, EMPTY, RECEIVE, PEER, TOO_LARGE = 35, 47, 52, 56, 60, 63
NO_CERTIFICATES = 77

ADVICE = """More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above."""

_TLS_TEXTS = {
    "WRONG_VERSION_NUMBER": "error:0A00010B:SSL routines::wrong version number",
    "HTTP_REQUEST": "error:0A00009C:SSL routines::http request",
    "UNEXPECTED_EOF_WHILE_READING": "error:0A000126:SSL routines::unexpected eof while reading",
}


class CurlError(Exception):
    """A transfer fails: the exit code, and the text behind `curl: (N) `."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def unresolved(host: str) -> CurlError:
    """The name leads nowhere."""
    return CurlError(RESOLVE, f"Could not resolve host: {host}")


def unconnected(host: str, port: int, seconds: float, *, silent: bool) -> CurlError:
    """Nobody took the connection: refused, unreachable, or silent for as long as Linux waits."""
    text = f"Failed to connect to {host} port {port} after {int(seconds * 1000)} ms"
    return CurlError(TIMED_OUT if silent else CONNECT, f"{text}: Couldn't connect to server")


def out_of_time(
    step: str, seconds: float, received: int = 0, expected: int | None = None
) -> CurlError:
    """--connect-timeout or --max-time has passed; `step` is Resolving, Connection or Operation."""
    text = f"{step} timed out after {int(seconds * 1000)} milliseconds"
    if step == "Operation":
        whole = f" out of {expected}" if expected is not None else ""
        text += f" with {received}{whole} bytes received"
    return CurlError(TIMED_OUT, text)


def untrusted(host: str, reason: str) -> CurlError:
    """The server's certificate does not hold; `reason` is OpenSSL's."""
    if "mismatch" in reason:
        text = f"SSL: no alternative certificate subject name matches target host name '{host}'"
    else:
        text = f"SSL certificate problem: {reason}"
    return CurlError(PEER, f"{text}\n{ADVICE}")


def handshake_failed(reason: str) -> CurlError:
    """No TLS came about; `reason` is OpenSSL's name of the error."""
    plain = reason.replace("_", " ").lower()
    return CurlError(TLS_CONNECT, _TLS_TEXTS.get(reason, f"OpenSSL SSL_connect: {plain}"))


def cut(missing: int) -> CurlError:
    """The connection ended in the middle."""
    if missing < 0:
        return CurlError(PARTIAL, "transfer closed with outstanding read data remaining")
    return CurlError(PARTIAL, f"transfer closed with {missing} bytes remaining to read")


def lost(error: OSError) -> CurlError:
    """The connection broke while the answer was awaited."""
    return CurlError(RECEIVE, f"Recv failure: {error.strerror or error}")


def problem(code: int, status: int, *, refused_counts: bool, all_count: bool) -> str:
    """Why --retry tries again; "" when it does not."""
    if code in (TIMED_OUT, RESOLVE):
        return ": timeout"
    if code == CONNECT and refused_counts:
        return ": connection refused"
    if code in (0, HTTP_ERROR) and status in (408, 429, 500, 502, 503, 504):
        return ": HTTP error"
    return "(retrying all errors)" if code and all_count else ""
