"""The names asked before a connection, as a step of its trace; or as all of it, if none was known.

Pure: values in, steps out. Spec: O-13, O-20, D-151.
"""

import socket
from collections.abc import Mapping
from typing import Any

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.dns.resolver import EAI_NODATA, NameNotResolved, Resolution
from cluster.wire.flow import Flow


def resolution_json(resolution: Resolution) -> dict[str, Any]:
    """A resolution as it stands in a step's detail: the name, and the queries it took."""
    queries = [query.to_json() for query in resolution.queries]
    return {"name": resolution.name, "queries": queries}


def resolution_steps(flow: Flow, resolved: Mapping[str, Any] | None) -> tuple[Step, ...]:
    """The step that says which name led to the destination; none where no name was asked."""
    if resolved is None:
        return ()
    reason = f"{resolved['name']} is {flow.destination.ip}"
    return (Step(Stage.RESOLVE, Action.FORWARDED, flow, flow, reason, detail=dict(resolved)),)


def unresolved_step(flow: Flow, error: NameNotResolved) -> Step:
    """The only step of a connection that never began: its name led nowhere, and why (O-20)."""
    name, detail = error.resolution.name, resolution_json(error.resolution)
    silent = error.errno == socket.EAI_AGAIN
    action = Action.DROPPED if silent else Action.REJECTED
    if silent:
        code, why = Code.DNS_UNANSWERED, "no DNS server gave an answer"
    elif error.errno == EAI_NODATA != socket.EAI_NONAME:
        code, why = Code.NODATA, "the name exists, but has no address of the family asked for"
    else:
        code, why = Code.NXDOMAIN, "no such name"
    return Step(Stage.RESOLVE, action, flow, flow, f"{name}: {why}", code, detail)
