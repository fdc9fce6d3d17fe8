"""The context that says whose code runs, and a container's signal handlers."""

import contextvars
import signal

import pytest

from node_agent.cni.pod_context import POD, SIGNALS, SignalTable


def test_nobodys_code_runs_by_default() -> None:
    assert POD.get() is None and SIGNALS.get() is None


def test_a_handler_runs_with_its_arguments_in_the_context_that_set_it() -> None:
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="nobody's")
    table, heard = SignalTable(), []

    def set_up() -> None:
        word.set("mine")
        table.add(signal.SIGTERM, lambda text: heard.append((text, word.get())), ("now",))

    contextvars.copy_context().run(set_up)
    assert table.deliver(signal.SIGTERM)
    assert heard == [("now", "mine")]


def test_without_a_handler_the_default_action_applies() -> None:
    """P-60."""
    table = SignalTable()
    assert not table.deliver(signal.SIGTERM)
    table.add(signal.SIGTERM, lambda: None, ())
    assert table.remove(signal.SIGTERM) and not table.remove(signal.SIGTERM)
    assert not table.deliver(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_what_no_process_can_catch_no_container_can(number: int) -> None:
    """P-61."""
    with pytest.raises(RuntimeError, match="cannot be caught"):
        SignalTable().add(number, lambda: None, ())
