"""Runs a command on a terminal and types lines as a person would: each when a prompt is there.

python3 typed.py LINE... -- COMMAND...      prints what the terminal shows; exits as the command
"""

import os
import pty
import select
import struct
import sys
import termios
from fcntl import ioctl

SECONDS_MAX = 60.0
ROWS, COLUMNS = 40, 123
PROMPT = b"# "


def main() -> int:
    """Type and show."""
    at = sys.argv.index("--")
    lines, command = sys.argv[1:at], sys.argv[at + 1 :]
    process, terminal = pty.fork()
    if process == 0:
        ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp(command[0], command)
    shown = b""
    while data := _shown(terminal):
        sys.stdout.buffer.write(data)
        shown = (shown + data)[-64:]
        if lines and shown.endswith(PROMPT):
            os.write(terminal, lines.pop(0).encode().decode("unicode_escape").encode() + b"\r")
            shown = b""
    sys.stdout.flush()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _shown(terminal: int) -> bytes:
    """What came on the screen; nothing when the command is over."""
    ready, _, _ = select.select([terminal], [], [], SECONDS_MAX)
    try:
        return os.read(terminal, 4096) if ready else b""
    except OSError:  # how Linux tells that nobody holds the other side any more
        return b""


if __name__ == "__main__":
    raise SystemExit(main())
