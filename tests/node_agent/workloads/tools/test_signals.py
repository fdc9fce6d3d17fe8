"""Names and numbers of signals."""

import signal

import pytest

from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.signals import NUMBERS, name_of, number_of


def test_they_are_linuxs():
    own = {each.name.removeprefix("SIG"): each.value for each in signal.Signals}
    assert {name: own[name] for name in NUMBERS if name in own}.items() <= NUMBERS.items()


@pytest.mark.parametrize("text", ["15", "TERM", "SIGTERM", "sigterm"])
def test_each_spelling_is_known(text):
    assert number_of(text) == 15
    assert name_of(15) == "TERM"
    assert name_of(64) == "64"


@pytest.mark.parametrize("text", ["", "NOPE", "65", "-1"])
def test_others_are_not(text):
    with pytest.raises(UsageError):
        number_of(text)
