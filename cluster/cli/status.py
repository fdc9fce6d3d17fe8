"""What runs: processes, nodes, Services and where they are; who is up to date.

Exit status 0 when every process is ready, every node Ready and every process
decides by the newest objects; else 1.
"""

import argparse
import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cluster.cli.exits import FAILED, OK
from cluster.cli.opened import Opened, add_name, opened
from cluster.cli.status_report import ProcessRow, Report, node_rows, service_rows, unserved_ports
from cluster.cli.terminal import Terminal

if TYPE_CHECKING:
    from cluster.traffic.access import Access

API_SECONDS = 5.0  # for everything that the API and the processes are asked
PROGRAMMED_SECONDS = 1.0  # for a process to take in what was written a moment ago
PROGRAMMED, FRONTS = "/programmed", "/fronts"
GATEWAY = "gateway"
TEXT, JSON = "text", "json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which cluster, and how it is shown."""
    add_name(parser)
    parser.add_argument("-o", "--output", choices=[TEXT, JSON], default=TEXT, help="default: text")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask everybody, and show it."""
    from cluster.cli.status_table import status_text

    report = asyncio.run(_report(options.name))
    if options.output == JSON:
        terminal.say(json.dumps(report.to_json(), indent=2))
    else:
        terminal.say(status_text(report, colour=terminal.colour_out).rstrip("\n"))
    return OK if report.healthy else FAILED


async def _report(name: str) -> Report:
    async with opened(name) as cluster:
        return await report_of(cluster)


async def report_of(cluster: Opened) -> Report:
    """The report; a silent API server leaves its part out and says so."""
    from cluster.errors import ApiError

    status = await cluster.running.call("status")
    try:
        async with asyncio.timeout(API_SECONDS):
            found = await _from_api(cluster)
    except (ApiError, ConnectionError, TimeoutError) as error:
        found = {"problem": str(error) or f"nothing within {API_SECONDS:g} s"}
    return Report(
        name=str(status["name"]),
        kubeconfig=str(cluster.running.kubeconfig),
        run_dir=str(cluster.running.run_dir),
        api_url=str(status["api"]),
        processes=process_rows(status["processes"]),
        **{"programmed": {}, **found},
    )


async def _from_api(cluster: Opened) -> dict[str, Any]:
    from cluster.objects.resources import NODES, PODS, SERVICES

    nodes, pods, services, versions, not_served = await asyncio.gather(
        cluster.api.list(NODES),
        cluster.api.list(PODS),
        cluster.api.list(SERVICES),
        cluster.api.call("GET", "/kubehop/v1/resource-versions"),
        unserved(cluster.access),
    )
    return {
        "nodes": node_rows(nodes.items, pods.items),
        "services": service_rows(services.items),
        "programmed": await programmed(cluster.access, versions),
        "unserved": not_served,
    }


async def unserved(access: "Access") -> tuple[str, ...]:
    """Load balancers' ports that the gateway could not bind; a silent gateway is told elsewhere."""
    import aiohttp

    where = (await access.endpoints()).get(GATEWAY)
    if where is None:
        return ()
    try:
        status, body = await access.ask(where, FRONTS, {})
    except (aiohttp.ClientError, OSError, TimeoutError):
        return ()
    return unserved_ports(json.loads(body)) if status == 200 else ()


async def programmed(
    access: "Access", versions: Mapping[str, str], *, but: Iterable[str] = ()
) -> dict[str, str]:
    """Of each process that decides flows: "", or why it does not decide by these versions."""
    from cluster.trace.endpoint import PROGRAMMED_RESOURCES

    wanted = {name: versions[name] for name in sorted(PROGRAMMED_RESOURCES) if name in versions}
    left_out = frozenset(but)
    endpoints = {
        name: where for name, where in (await access.endpoints()).items() if name not in left_out
    }
    answers = await asyncio.gather(
        *(_programmed(access, where, wanted) for where in endpoints.values())
    )
    return dict(zip(endpoints, answers, strict=True))


async def _programmed(access: "Access", where: str, wanted: Mapping[str, str]) -> str:
    import aiohttp

    parameters = {**wanted, "timeout": f"{PROGRAMMED_SECONDS:g}"}
    try:
        status, body = await access.ask(where, PROGRAMMED, parameters)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return f"does not answer ({str(error) or type(error).__name__})"
    return "" if status == 200 else body.decode("utf-8", "replace").strip() or f"status {status}"


def process_rows(processes: Iterable[Mapping[str, Any]]) -> tuple[ProcessRow, ...]:
    """The launcher's table of processes."""
    return tuple(
        ProcessRow(
            name=str(each["name"]),
            state=str(each["state"]),
            pid=int(each["pid"] or 0),
            restarts=int(each["restarts"]),
            seconds=float(each["seconds"] or 0.0),
        )
        for each in processes
    )
