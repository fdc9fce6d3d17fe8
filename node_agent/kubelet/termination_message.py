"""What a container's end says about itself: `state.terminated.message`.

Pure: how the program ended in, a bounded text out. What a command wrote to terminationMessagePath
counts before all else. A Python program that fails says why by its traceback, whatever the policy
is, since it sees no /dev/termination-log to write to. Any other end speaks only where
terminationMessagePolicy is FallbackToLogsOnError: the tail of the log.
Source: kubernetes.io, "Determine the Reason for Pod Failure" (the limits are the kubelet's).
"""

from cluster.client.interface import Document

MESSAGE_BYTES_MAX = 4096
LOG_BYTES_MAX = 2048
LOG_LINES_MAX = 80


def termination_message(
    container: Document, exit_code: int, *, failure: str, log: str, written: str = ""
) -> str:
    """The message of a run that ended; `written` is what it left in its terminationMessagePath."""
    if written:
        return tail(written, MESSAGE_BYTES_MAX)
    if exit_code == 0:
        return ""
    if failure:
        return tail(failure.strip("\n"), MESSAGE_BYTES_MAX)
    if container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        return tail("".join(log.splitlines(keepends=True)[-LOG_LINES_MAX:]), LOG_BYTES_MAX)
    return ""


def tail(text: str, bytes_max: int) -> str:
    """The last bytes of a text, never half a character."""
    return text.encode("utf-8", "replace")[-bytes_max:].decode("utf-8", "ignore")
