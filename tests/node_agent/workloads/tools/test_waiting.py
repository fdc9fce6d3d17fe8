"""sleep, timeout, nohup."""

import pytest

SCRIPTS = [
    "sleep 0",
    "sleep 0.01",
    "sleep x",
    "sleep",
    "sleep 0s 0m",
    "timeout 5 echo hi",
    "timeout 0.05 sleep 10; echo $?",
    "timeout 5 false; echo $?",
    "timeout 5 sh -c 'exit 9'; echo $?",
    "timeout 1",
    "nohup echo hi 2>/dev/null | cat",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
