"""echo, as busybox has it; `echo` of the machine's shell differs, so env runs it."""

import pytest

SCRIPTS = [
    "env echo a b",
    "env echo -n a",
    "env echo -e 'a\\tb\\n'",
    "env echo -E 'a\\tb'",
    "env echo -ne 'x\\c y'",
    "env echo -- -n",
    "env echo -x",
    "env echo",
    "env echo -e '\\x41\\0102'",
    "env echo -en",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
