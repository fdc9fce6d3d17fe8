"""A process that is told to crash resets its connections, and dies as by kill -9."""

import signal
import socket
import subprocess
import sys

import pytest

PROGRAM = """
import socket, sys
from cluster.aio.crash import crash

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
assert connection.recv(5) == b"hello"
crash()
"""


def test_whoever_is_connected_meets_a_reset() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"hello")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert process.wait() == -signal.SIGKILL
