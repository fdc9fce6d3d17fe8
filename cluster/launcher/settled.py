"""Waits until a cluster is settled: what was asked for stands, and every process decides by it."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from cluster.aio.clock import Clock, SystemClock
from cluster.client.api import ApiClient
from cluster.client.informer import Informer
from cluster.errors import ClusterError
from cluster.launcher.settling import unsettled
from cluster.objects.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)

WATCHED = (NODES, DEPLOYMENTS, REPLICA_SETS, PODS, SERVICES, ENDPOINT_SLICES)
PROGRAMMED = ("services", "endpointslices", "networkpolicies", "pods", "nodes", "namespaces")
SETTLE_SECONDS = 30.0
REASONS_SHOWN_MAX = 8
NO_ANSWER = "does not answer"
ASK_AGAIN_SECONDS = 0.05  # a process that died and is being started again
LOOK_SHARE = 4  # looking may take a fifth of the time


class NotSettled(ClusterError):
    """Time was up; the message says what was missing."""


class Away(TimeoutError):
    """A process does not answer at all."""


async def settled(
    api: ApiClient,
    sockets: Iterable[Path],
    *,
    nodes: Iterable[str] = (),
    seconds: float = SETTLE_SECONDS,
    clock: Clock | None = None,
) -> None:
    """Return when nothing is under way any more; NotSettled names what is, after a time.

    `sockets` are those of the processes that decide flows: nodes, gateway, dns.
    """
    expected, clock = tuple(nodes), clock or SystemClock()
    followed = {each: Informer(api, each, clock=clock) for each in WATCHED}
    changed = asyncio.Event()
    for informer in followed.values():
        informer.on_change(lambda old, new: changed.set())
    tasks = [asyncio.ensure_future(informer.run()) for informer in followed.values()]
    reasons, away = ["the API has not answered"], ""
    try:
        async with asyncio.timeout(seconds):
            for informer in followed.values():
                await informer.synced.wait()
            while True:
                began = clock.monotonic()
                while reasons := _reasons(followed, expected):
                    await clock.sleep((clock.monotonic() - began) * LOOK_SHARE)
                    await changed.wait()
                    changed.clear()
                    began = clock.monotonic()
                reasons = [away or "a process has not taken everything in"]
                try:
                    await programmed(await versions(api), sockets, seconds)
                except Away as error:
                    away = str(error)
                    await clock.sleep(ASK_AGAIN_SECONDS)
                    continue
                if not _reasons(followed, expected):
                    return
    except TimeoutError as error:
        reasons = [str(error)] if str(error) else reasons  # who is behind, or our own time-out
        shown = reasons[:REASONS_SHOWN_MAX]
        more = len(reasons) - len(shown)
        text = "; ".join(shown) + (f"; and {more} more" if more else "")
        raise NotSettled(f"not settled after {seconds:g} s: {text}") from None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reasons(followed: Mapping[Resource, Informer], expected: Iterable[str]) -> list[str]:
    listed = {each: informer.objects.values() for each, informer in followed.items()}
    return unsettled(
        nodes=listed[NODES],
        deployments=listed[DEPLOYMENTS],
        replica_sets=listed[REPLICA_SETS],
        pods=listed[PODS],
        services=listed[SERVICES],
        slices=listed[ENDPOINT_SLICES],
        expected_nodes=expected,
    )


async def versions(api: ApiClient) -> Mapping[str, str]:
    """The newest version of each resource that decisions read."""
    newest: dict[str, str] = await api.call("GET", "/kubehop/v1/resource-versions")
    return {name: newest[name] for name in PROGRAMMED if name in newest}


async def programmed(wanted: Mapping[str, str], sockets: Iterable[Path], seconds: float) -> None:
    """Wait until every process decides by these versions; TimeoutError names who does not.

    It is `Away` where somebody did not answer.
    """
    answers = await asyncio.gather(*(_programmed(each, wanted, seconds) for each in sockets))
    behind = [text for text in answers if text]
    if behind:
        away = any(NO_ANSWER in text for text in behind)
        raise (Away if away else TimeoutError)("; ".join(behind))


async def count_programmed(
    wanted: Mapping[str, str], sockets: Iterable[Path], seconds: float = 0.0
) -> tuple[int, int]:
    """How many processes decide by these versions, of how many."""
    answers = await asyncio.gather(*(_programmed(each, wanted, seconds) for each in sockets))
    return sum(not text for text in answers), len(answers)


async def _programmed(path: Path, wanted: Mapping[str, str], seconds: float) -> str:
    """Ask one process; why not, or nothing."""
    query: dict[str, Any] = {**wanted, "timeout": f"{seconds:g}"}
    timeout = aiohttp.ClientTimeout(total=seconds + 1.0)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(path)), timeout=timeout
            ) as session,
            session.get("http://process/programmed", params=query) as answer,
        ):
            body = (await answer.text()).strip()
            return "" if answer.status == 200 else f"{path.stem}: {body}"
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
        return f"{path.stem} {NO_ANSWER}: {error!r}"
