"""After whatever a client has sent: nothing in control's log, and the good are served."""

from collections.abc import Iterator

import pytest

from tests.processes.bad_input.raw import MAPS, Control


@pytest.fixture(autouse=True)
def unharmed(request: pytest.FixtureRequest) -> Iterator[None]:
    """The server that a test has sent things to has no fault, and answers as ever."""
    if "control" not in request.fixturenames:
        yield
        return
    control: Control = request.getfixturevalue("control")
    before = len(control.faults())
    yield
    assert control.faults()[before:] == []
    assert control.ask("GET", f"{MAPS}/kube-root-ca.crt")["kind"] == "ConfigMap"
