"""No pattern holds up the node."""

import asyncio
import re
import signal

import pytest

from node_agent.workloads.tools.matching import in_time
from node_agent.workloads.tools.process import Failed

LINE = "a" * 200
SCRIPTS = [
    f"echo {LINE}b | grep -E '(a+)+$'",
    f"echo {LINE}b | grep -oE '(a+)+$'",
    f"echo {LINE}b | sed -E 's/(a+)+$/x/'",
    f"x={LINE * 20}; [[ $x = *a*a*a*a*a*a*b ]]",
    f"x={LINE * 20}; case $x in *a*a*a*a*a*a*b) ;; esac",
    f"x={LINE * 20}; echo ${{x##*a*a*a*a*a*a*b}}",
    f"x={LINE * 20}; echo ${{x/a*a*a*a*a*a*b/}}",
    f"x={LINE * 20}; echo ${{x%a*a*a*a*a*a*b}}",
    f"touch {LINE}; echo *a*a*a*a*a*a*b",
    f"touch {LINE}; find . -name '*a*a*a*a*a*a*b'",
    "mkdir -p 1 2 3 4 5 6 7 8; echo " + "*/../" * 12,
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_what_would_take_for_ever_is_given_up_in_words(container, script):
    said = await container.run("sh", "-c", script)
    assert said.code == 2
    assert "the pattern takes too long to match" in said.err


def test_a_match_in_time_is_what_it_is_and_leaves_no_alarm():
    before = signal.getsignal(signal.SIGALRM)
    assert in_time(lambda: re.search("b", "abc")).span() == (1, 2)
    with pytest.raises(Failed):
        in_time(lambda: re.search("(a+)+$", LINE + "b"))
    with pytest.raises(KeyError):
        in_time(lambda: {}["not there"])
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


async def test_outside_the_main_thread_it_just_matches():
    found = await asyncio.to_thread(in_time, lambda: re.search("b", "abc"))
    assert found.span() == (1, 2)
