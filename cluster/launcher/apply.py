"""Applies manifests to a cluster that somebody else starts: waits for it, applies, and ends.

Pods are spread over the nodes that are ready when they are scheduled, hence `--await-nodes`.
By hand: python -m cluster.launcher.apply --api https://control:6443 --kubeconfig FILE shop.yaml
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from cluster.aio.awaited_files import await_files
from cluster.aio.clock import Clock, SystemClock
from cluster.aio.process import Lifecycle, ProcessConfig, run
from cluster.client.api import ApiClient
from cluster.client.interface import Api, Document
from cluster.dataclass import dataclass
from cluster.launcher.manifests import apply, read_manifests
from cluster.objects.resources import NODES

log = logging.getLogger(__name__)

ASK_SECONDS = 0.2
NOT_READY = "node.kubernetes.io/not-ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """What to apply, and where."""

    process: ProcessConfig
    api: str  # unix:PATH or https://HOST:PORT
    kubeconfig: Path | None
    await_nodes: int
    manifests: tuple[Path, ...]

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> "ApplyConfig":
        """Read the command line."""
        parser = argparse.ArgumentParser(
            prog="python -m cluster.launcher.apply", description="Applies manifests, and ends."
        )
        add = parser.add_argument
        add("--api", required=True, metavar="unix:PATH|https://HOST:PORT", help="the API server")
        add("--kubeconfig", type=Path, help="credentials for an https API")
        add("--await-nodes", type=int, default=0, metavar="N", help="until so many are ready")
        add("manifests", nargs="+", type=Path, metavar="FILE", help="or a directory of them")
        ProcessConfig.add_arguments(parser)
        options = parser.parse_args(arguments)
        return cls(
            process=ProcessConfig.of(options, title="kubehop apply"),
            api=options.api,
            kubeconfig=options.kubeconfig,
            await_nodes=options.await_nodes,
            manifests=tuple(options.manifests),
        )


async def serve(config: ApplyConfig, lifecycle: Lifecycle) -> None:
    """Apply once; ConfigError says which document is wrong."""
    clock = SystemClock()
    documents = read_manifests(config.manifests)
    if not await await_files([config.kubeconfig], lifecycle, clock):
        return
    async with ApiClient.of(config.api, kubeconfig=config.kubeconfig) as api:
        if await served(api, config.await_nodes, lifecycle, clock):
            for line in await apply(api, documents):
                log.info("applied %s", line)
            lifecycle.ready(applied=len(documents))


async def served(api: Api, nodes: int, lifecycle: Lifecycle, clock: Clock) -> bool:
    """Return when the API answers and so many nodes take pods; False when told to stop before."""
    told = ""
    while not lifecycle.stopping.is_set():
        try:
            ready = sum(map(_ready, (await api.list(NODES)).items))
            missing = "" if ready >= nodes else f"{ready} of {nodes} nodes are ready"
        except (ConnectionError, TimeoutError) as error:
            missing = str(error)
        if not missing:
            return True
        if missing != told:
            log.info("waiting for the cluster reason=%s", missing)
            told = missing
        await clock.sleep(ASK_SECONDS)
    return False


def _ready(node: Document) -> bool:
    """Ready, and rid of the taint that says it is not: that is what the scheduler looks at."""
    conditions = node.get("status", {}).get("conditions") or ()
    tainted = any(each["key"] == NOT_READY for each in node.get("spec", {}).get("taints") or ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not tainted


def main(arguments: Sequence[str] | None = None) -> int:
    """Apply; the exit status."""
    return run(ApplyConfig.parse, serve, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
