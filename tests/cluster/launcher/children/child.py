"""What the tests' zygote forks: `main(arguments)`, as every process of a cluster has it.

serve      ready at once; ends with its lifeline or SIGTERM
stubborn   ready at once; ends by SIGKILL alone
fail       ends with status 3 before it is ready
fail_once  FILE    the same while there is no FILE, which it makes; after that `serve`
raise      its main raises
"""

import json
import os
import select
import signal
from pathlib import Path

FAILED = 3


def main(arguments: list[str]) -> int:
    mode, *others = arguments[: arguments.index("--ready-fd")]
    ready = int(arguments[arguments.index("--ready-fd") + 1])
    lifeline = int(arguments[arguments.index("--lifeline-fd") + 1])
    if mode == "raise":
        raise RuntimeError("as the test wants it")
    if mode == "fail":
        return FAILED
    if mode == "fail_once" and not Path(others[0]).exists():
        Path(others[0]).touch()
        return FAILED
    return _serve(ready, lifeline, stubborn=mode == "stubborn")


def _serve(ready: int, lifeline: int, *, stubborn: bool) -> int:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)  # select must not begin to wait just after the signal has come
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else lambda *_: None)
    os.write(ready, json.dumps({"ready": True, "address": "127.64.0.1"}).encode() + b"\n")
    os.close(ready)
    while True:
        select.select([] if stubborn else [lifeline, woken], [], [])
        if not stubborn:
            return 0
