"""Runs a kubectl that is there: nothing is installed, and which one is found can be chosen.

In this order: $KUBEHOP_KUBECTL, the newest under $KUBEHOP_KUBECTL_DIR (DIRECTORY/1.37/kubectl), the
one on the PATH.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from cluster.dataclass import dataclass
from cluster.errors import ClusterError, ConfigError

KUBECTL = "KUBEHOP_KUBECTL"
KUBECTL_DIR = "KUBEHOP_KUBECTL_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a kubectl said."""

    stdout: str
    stderr: str
    status: int

    def __str__(self) -> str:
        return self.stdout


class KubectlFailed(ClusterError):
    """kubectl ended with a status other than 0; carries what it said."""

    def __init__(self, arguments: tuple[str, ...], ran: Ran) -> None:
        command = " ".join(("kubectl", *arguments))
        super().__init__(f"{command}: status {ran.status}: {(ran.stderr or ran.stdout).strip()}")
        self.ran = ran


def find_kubectl(version: str | None = None, *, environment: Mapping[str, str]) -> Path:
    """The path of a kubectl, of a minor version such as "1.29" if one is asked for."""
    directory = environment.get(KUBECTL_DIR, "")
    if version is not None:
        path = Path(directory) / version / "kubectl"
        if directory and path.exists():
            return path
        raise ConfigError(f"no kubectl {version}: {KUBECTL_DIR}={directory!r} has no {path}")
    chosen = environment.get(KUBECTL)
    if chosen:
        return Path(chosen)
    if directory and (found := sorted(Path(directory).glob("*/kubectl"), key=_version)):
        return found[-1]
    on_path = shutil.which("kubectl", path=environment.get("PATH"))
    if on_path is None:
        raise ConfigError(
            f"no kubectl is here: put one on the PATH, or name one by {KUBECTL} or {KUBECTL_DIR}"
        )
    return Path(on_path)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parent.name.split(".") if part.isdecimal())


async def run_kubectl(
    kubectl: Path,
    kubeconfig: Path,
    arguments: tuple[str, ...],
    *,
    stdin: str | None = None,
    check: bool = True,
    timeout_seconds: float = 60.0,
) -> Ran:
    """Run it to its end; KubectlFailed when it fails and `check` is true."""
    process = await asyncio.create_subprocess_exec(
        str(kubectl),
        *arguments,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            out, err = await process.communicate(None if stdin is None else stdin.encode())
    except TimeoutError:
        raise ClusterError(
            f"kubectl {' '.join(arguments)}: not done after {timeout_seconds:g} s: ended"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    ran = Ran(stdout=out.decode(), stderr=err.decode(), status=process.returncode)
    if check and ran.status != 0:
        raise KubectlFailed(arguments, ran)
    return ran
