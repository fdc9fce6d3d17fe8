"""Which pod's code is running: context variables that every task of a pod inherits.

The event loop looks here at each call that would touch the network (`node_agent.loop`); what a task
starts inherits it. Nothing else decides which network a program uses.
"""

import contextvars
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

POD: contextvars.ContextVar["PodNetwork | None"] = contextvars.ContextVar("pod", default=None)

SIGNALS: contextvars.ContextVar["SignalTable | None"] = contextvars.ContextVar(
    "signals", default=None
)


class SignalTable:
    """The signal handlers that one container's program has set with `loop.add_signal_handler`."""

    def __init__(self) -> None:
        self._handlers: dict[int, tuple[Callable[..., object], tuple[Any, ...], Any]] = {}

    def add(self, number: int, callback: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        """Set a handler; it runs in the context that set it."""
        if number in (signal.SIGKILL, signal.SIGSTOP):
            raise RuntimeError(f"sig {number} cannot be caught")
        self._handlers[number] = (callback, arguments, contextvars.copy_context())

    def remove(self, number: int) -> bool:
        """Forget a handler; whether there was one."""
        return self._handlers.pop(number, None) is not None

    def deliver(self, number: int) -> bool:
        """Run the program's handler, if it has one; False means the default action applies."""
        handler = self._handlers.get(number)
        if handler is None:
            return False
        callback, arguments, context = handler
        context.run(callback, *arguments)
        return True
