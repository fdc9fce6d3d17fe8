"""The control plane of one cluster in one process.

By hand: python -m control --bind 127.0.0.1:6443 --socket RUN/control.sock --data STORE --pki DIR
"""

from collections.abc import Sequence

from cluster.aio.process import run
from control.config import ControlConfig
from control.plane import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the control plane to its end; the exit status."""
    return run(ControlConfig.parse, serve, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
