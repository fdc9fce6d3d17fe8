"""The names asked before a connection, as the first step of its trace.

Pure: values in, steps out. Spec: O-13.
"""

from collections.abc import Mapping
from typing import Any

from cluster.dataplane.decision import Action, Stage, Step
from cluster.wire.flow import Flow


def resolution_steps(flow: Flow, resolved: Mapping[str, Any] | None) -> tuple[Step, ...]:
    """The step that says which name led to the destination; none where no name was asked."""
    if resolved is None:
        return ()
    reason = f"{resolved['name']} is {flow.destination.ip}"
    return (Step(Stage.RESOLVE, Action.FORWARDED, flow, flow, reason, detail=dict(resolved)),)
