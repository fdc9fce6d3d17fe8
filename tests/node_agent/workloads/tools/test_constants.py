"""true, false, yes."""

import pytest

SCRIPTS = [
    "true; echo $?",
    "env true; echo $?",
    "env false; echo $?",
    "yes | head -n 2",
    "yes a b | head -n 1",
    "yes > /dev/full; echo $?",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
