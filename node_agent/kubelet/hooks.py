"""Lifecycle hooks: postStart and preStop, by exec, HTTP or the built-in sleep (P-57, P-58)."""

from collections.abc import Mapping
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Document
from node_agent.kubelet.probe_calls import Target, ask
from node_agent.kubelet.probes import handler_of

HTTP_HOOK_TIMEOUT_SECONDS = 30.0


def hook_of(container: Document, name: str) -> Mapping[str, Any] | None:
    """The hook `postStart` or `preStop` of a container."""
    hook: Mapping[str, Any] | None = (container.get("lifecycle") or {}).get(name)
    return hook


async def run_hook(
    hook: Mapping[str, Any], container: Document, target: Target, clock: Clock
) -> str:
    """Run one hook to its end; what went wrong, or ""."""
    if "sleep" in hook:
        await clock.sleep(hook["sleep"]["seconds"] * clock.scale)
        return ""
    if "exec" in hook:
        result = await target.execute(tuple(hook["exec"].get("command") or ()))
        return "" if result.exit_code == 0 else result.output or f"exit code {result.exit_code}"
    outcome = await ask(handler_of(hook, container), target, HTTP_HOOK_TIMEOUT_SECONDS)
    return "" if outcome.ok else outcome.text
