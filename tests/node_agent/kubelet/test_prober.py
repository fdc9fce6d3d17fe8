"""Probes of a running container, in order and in time."""

import pytest

from node_agent.kubelet.prober import Prober
from node_agent.kubelet.probes import HttpGet, Outcome, ProbeKind, ProbeSpec


class Asked:
    """Answers from a script, and what was told."""

    def __init__(self):
        self.answers = {}
        self.times = []
        self.verdicts = []
        self.failures = []

    def prober(self, specs, clock, tasks):
        async def ask(handler, timeout_seconds):
            self.times.append((handler.path, clock.now()))
            return Outcome(self.answers.get(handler.path, True), "no")

        return Prober(
            {each.kind: each for each in specs},
            ask,
            clock=clock,
            tasks=tasks,
            on_verdict=lambda kind, passing: self.verdicts.append((kind, passing)),
            on_failure=lambda kind, outcome: self.failures.append((kind, outcome.text)),
        )


def spec(kind, **options):
    return ProbeSpec(kind=kind, handler=HttpGet(1, f"/{kind}"), **options)


READY, LIVE, START = ProbeKind.READINESS, ProbeKind.LIVENESS, ProbeKind.STARTUP


@pytest.fixture
def asked():
    return Asked()


async def test_the_first_question_comes_at_once(asked, clock, tasks, field):
    asked.prober([spec(READY)], clock, tasks).start()
    await field.turns()
    assert asked.verdicts == [(READY, True)]
    assert clock.now() == field.START


async def test_the_first_question_waits_for_the_scaled_initial_delay(asked, tasks, field):
    """P-46."""
    clock = field.ManualClock(scale=0.1)
    asked.prober([spec(READY, initial_delay_seconds=20)], clock, tasks).start()
    await clock.advance(1.9)
    assert asked.verdicts == []
    await clock.advance(0.2)
    assert asked.verdicts == [(READY, True)]


async def test_liveness_and_readiness_wait_for_the_startup_probe(asked, clock, tasks, field):
    """P-53."""
    asked.answers["/Startup"] = False
    asked.prober([spec(START), spec(READY), spec(LIVE)], clock, tasks).start()
    await clock.advance(5)
    assert {path for path, _ in asked.times} == {"/Startup"}
    asked.answers["/Startup"] = True
    await clock.advance(10)
    assert (START, True) in asked.verdicts
    assert {path for path, _ in asked.times} == {"/Startup", "/Readiness", "/Liveness"}


async def test_a_startup_probe_that_fails_is_told_once(asked, clock, tasks):
    """P-53."""
    asked.answers["/Startup"] = False
    asked.prober([spec(START)], clock, tasks).start()
    await clock.advance(60)
    assert asked.verdicts == [(START, False)]


async def test_liveness_is_told_at_its_threshold_and_then_asks_no_more(asked, clock, tasks):
    """P-52."""
    asked.answers["/Liveness"] = False
    asked.prober([spec(LIVE)], clock, tasks).start()
    await clock.advance(19)
    assert asked.verdicts == []
    await clock.advance(2)
    assert asked.verdicts == [(LIVE, False)]
    count = len(asked.times)
    await clock.advance(60)
    assert len(asked.times) == count


async def test_readiness_goes_on_when_liveness_is_stopped(asked, clock, tasks):
    """P-54."""
    prober = asked.prober([spec(READY), spec(LIVE)], clock, tasks)
    prober.start()
    await clock.advance(1)
    prober.stop(LIVE)
    asked.times.clear()
    await clock.advance(25)
    assert [path for path, _ in asked.times] == ["/Readiness"] * 2


async def test_a_stopped_prober_asks_nothing(asked, clock, tasks):
    prober = asked.prober([spec(READY), spec(LIVE)], clock, tasks)
    prober.start()
    await clock.advance(1)
    prober.stop()
    asked.times.clear()
    await clock.advance(60)
    assert asked.times == []


async def test_only_failures_that_count_are_told(asked, clock, tasks):
    """P-55: a program that needs a moment to listen makes no noise."""
    asked.answers["/Readiness"] = False
    asked.prober([spec(READY)], clock, tasks).start()
    await clock.advance(5)
    assert len(asked.times) > 5
    assert asked.failures == []
    await clock.advance(10)
    assert asked.failures == [(READY, "no")]
