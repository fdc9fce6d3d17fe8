"""Applies manifests to a cluster that somebody else starts, waits for its API, and ends.

By hand: python -m cluster.launcher.apply --api https://control:6443 --kubeconfig FILE shop.yaml
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.aio.awaited_files import await_files
from cluster.aio.clock import Clock, SystemClock
from cluster.aio.process import Lifecycle, ProcessConfig, run
from cluster.client.api import ApiClient
from cluster.launcher.manifests import Document, apply, read_manifests

log = logging.getLogger(__name__)

ASK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """What to apply, and where."""

    process: ProcessConfig
    api: str  # unix:PATH or https://HOST:PORT
    kubeconfig: Path | None
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
        add("manifests", nargs="+", type=Path, metavar="FILE", help="or a directory of them")
        ProcessConfig.add_arguments(parser)
        options = parser.parse_args(arguments)
        return cls(
            process=ProcessConfig.of(options, title="kubehop apply"),
            api=options.api,
            kubeconfig=options.kubeconfig,
            manifests=tuple(options.manifests),
        )


async def serve(config: ApplyConfig, lifecycle: Lifecycle) -> None:
    """Apply once; ConfigError says which document is wrong."""
    clock = SystemClock()
    documents = read_manifests(config.manifests)
    if not await await_files([config.kubeconfig], lifecycle, clock):
        return
    async with ApiClient.of(config.api, kubeconfig=config.kubeconfig) as api:
        await apply_when_served(api, documents, lifecycle, clock)


async def apply_when_served(
    api: ApiClient,
    documents: Sequence[tuple[str, Document]],
    lifecycle: Lifecycle,
    clock: Clock,
) -> None:
    """Apply as soon as the API answers; again from the start if it goes away meanwhile."""
    told = False
    while not lifecycle.stopping.is_set():
        try:
            for line in await apply(api, documents):
                log.info("applied %s", line)
        except (ConnectionError, TimeoutError) as error:
            if not told:
                log.info("waiting for the API error=%s", error)
                told = True
        else:
            lifecycle.ready(applied=len(documents))
            return
        await clock.sleep(ASK_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Apply; the exit status."""
    return run(ApplyConfig.parse, serve, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
