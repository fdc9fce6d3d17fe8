"""What probe results mean, and when a probe asks again."""

import pytest

from node_agent.kubelet.probes import (
    Broken,
    Exec,
    Grpc,
    HttpGet,
    ProbeKind,
    ProbeSpec,
    ProbeState,
    TcpSocket,
    handler_of,
    observe,
    probe_ports,
    probes_of,
)

CONTAINER = {"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}
HTTP = HttpGet(8080)


def spec(kind=ProbeKind.READINESS, **options):
    return ProbeSpec(kind=kind, handler=HTTP, **options)


class Asked:
    """A probe that is asked in its own rhythm."""

    def __init__(self, probe, scale=1.0):
        self.probe, self.scale = probe, scale
        self.state, self.now = ProbeState(), 0.0
        self.counted = []

    def answer(self, ok):
        step = observe(self.state, self.probe, ok=ok, now=self.now, scale=self.scale, began=0.0)
        self.state = step.state
        if step.counted:
            self.counted.append(self.now)
        self.now += step.pause_seconds
        return step


def test_defaults():
    """P-46."""
    probe = probes_of({**CONTAINER, "livenessProbe": {"tcpSocket": {"port": 1}}})
    found = probe[ProbeKind.LIVENESS]
    assert (found.initial_delay_seconds, found.timeout_seconds, found.period_seconds) == (0, 1, 10)
    assert (found.success_threshold, found.failure_threshold) == (1, 3)


@pytest.mark.parametrize(
    ("document", "handler"),
    [
        ({"httpGet": {"port": "http"}}, HttpGet(8080, "/", "http")),
        ({"httpGet": {"port": 1, "path": "/x", "scheme": "HTTPS"}}, HttpGet(1, "/x", "https")),
        ({"tcpSocket": {"port": 5, "host": "10.0.0.1"}}, TcpSocket(5, "10.0.0.1")),
        ({"exec": {"command": ["cat", "/x"]}}, Exec(("cat", "/x"))),
        ({"grpc": {"port": 9, "service": "s"}}, Grpc(9, "s")),
    ],
)
def test_kinds_and_named_ports(document, handler):
    """P-47, P-49: a named port is looked up in the same container; path and scheme default."""
    assert handler_of(document, CONTAINER) == handler


def test_a_port_name_that_the_container_does_not_declare_breaks_the_probe():
    """P-49."""
    found = handler_of({"httpGet": {"port": "web"}}, CONTAINER)
    assert isinstance(found, Broken)
    assert "couldn't find port: web" in found.text


def test_before_the_first_result_there_is_no_verdict_and_one_success_is_enough():
    """P-50."""
    asked = Asked(spec())
    assert asked.state.passing is None
    asked.answer(True)
    assert asked.state.passing is True


def test_a_readiness_probe_asks_often_until_it_succeeds_and_then_once_a_period():
    asked = Asked(spec())
    pauses = [asked.answer(False).pause_seconds for _ in range(5)]
    assert pauses == pytest.approx([0.002, 0.003, 0.0045, 0.00675, 0.010125])
    assert asked.answer(True).pause_seconds == 10


def test_an_eager_pause_never_exceeds_the_period():
    asked = Asked(spec(period_seconds=1))
    assert max(asked.answer(False).pause_seconds for _ in range(40)) == 1


def test_eager_failures_count_once_a_period_so_that_nothing_fails_sooner_than_in_kubernetes():
    """P-51, P-53."""
    asked = Asked(spec(ProbeKind.STARTUP, period_seconds=10, failure_threshold=3))
    while asked.state.passing is not False:
        asked.answer(False)
    assert asked.counted == pytest.approx([10, 20, 30])


def test_readiness_fails_at_the_threshold_and_success_brings_it_back():
    """P-51."""
    asked = Asked(spec())
    asked.answer(True)
    for _ in range(2):
        assert asked.answer(False).pause_seconds == 10
        assert asked.state.passing is True
    asked.answer(False)
    assert asked.state.passing is False
    asked.answer(True)
    assert asked.state.passing is True


def test_a_success_between_failures_starts_the_count_again():
    asked = Asked(spec())
    for ok in (True, False, False, True, False, False):
        asked.answer(ok)
    assert asked.state.passing is True


def test_the_success_threshold_is_counted():
    asked = Asked(spec(success_threshold=2))
    asked.answer(True)
    assert asked.state.passing is None
    asked.answer(True)
    assert asked.state.passing is True


def test_liveness_is_never_eager():
    """P-52."""
    asked = Asked(spec(ProbeKind.LIVENESS))
    steps = [asked.answer(False) for _ in range(3)]
    assert [step.pause_seconds for step in steps] == [10, 10, 10]
    assert asked.state.passing is False


def test_periods_are_scaled():
    asked = Asked(spec(), scale=0.1)
    asked.answer(True)
    assert asked.answer(True).pause_seconds == 1


def test_a_stand_in_knows_the_ports_that_probes_ask():
    container = {
        **CONTAINER,
        "readinessProbe": {"httpGet": {"port": "http"}},
        "livenessProbe": {"tcpSocket": {"port": 9000}},
        "startupProbe": {"exec": {"command": ["true"]}},
    }
    assert probe_ports(container) == {8080, 9000}
