"""A bash that lasts for a session, and the cluster that the sessions run against."""

import os
import queue
import shutil
import signal
import subprocess
import threading
import uuid
from pathlib import Path

COMMAND_SECONDS_MAX = 90.0


class Shell:
    """One bash with a kubectl on its path; what it starts ends with it."""

    def __init__(self, tools: Path, kubeconfig: Path, home: Path, namespace: str) -> None:
        self._mark = f"--{uuid.uuid4().hex}--"
        directory = home / "bin"
        directory.mkdir(parents=True)
        for name in ("kubectl", "helm"):
            if (tools / name).exists():
                (directory / name).symlink_to(tools / name)
        shutil.copy(kubeconfig, home / "kubeconfig")
        (home / "kubeconfig").chmod(0o600)
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={
                "PATH": f"{directory}:{os.environ['PATH']}",
                "HOME": str(home),
                "KUBECONFIG": str(home / "kubeconfig"),
                "LC_ALL": "C.UTF-8",
                "TERM": "dumb",
                "NS": namespace,
                "FILES": str(Path(__file__).parent / "files"),
            },
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, command: str) -> tuple[str, int]:
        """What a command printed, and its exit status."""
        assert self._process.stdin is not None
        # commands do not read what bash has still to be told
        text = f"{{\n{command}\n}} < /dev/null\nprintf '\\n%s %d\\n' '{self._mark}' $?\n"
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()
        printed: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=COMMAND_SECONDS_MAX)
            except queue.Empty:
                raise AssertionError(f"{command}: printed nothing for long:\n{printed}") from None
            if line is None:
                raise AssertionError(f"{command}: it ended the shell:\n{printed}")
            if line.startswith(self._mark):
                text = "".join(printed)
                return text.removesuffix("\n"), int(line.split()[1])
            printed.append(line)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.decode("utf-8", "replace"))
        self._lines.put(None)

    def close(self) -> None:
        """End it and all that it started."""
        assert self._process.stdin is not None and self._process.stdout is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()
        self._reader.join(COMMAND_SECONDS_MAX)
        self._process.stdout.close()
