"""printf."""

import pytest

SCRIPTS = [
    "printf '%d %s\\n' 1 a 2 b",
    "printf '%5d|%-5d|%05d\\n' 1 2 3",
    "printf '%x %X %o %u\\n' 255 255 8 7",
    "printf '%.2f %e %g\\n' 3.14159 1000 0.5",
    "printf '%c%c\\n' abc d",
    "printf '%%\\n'",
    "printf '%b' 'a\\nb\\n'",
    "printf 'a\\tb\\101\\n'",
    "printf '%s'",
    "printf '%s\\n'",
    "printf '%d\\n' 0x1f 010",
    "printf '%d\\n' \"'A\"",
    "printf '%*d\\n' 5 1",
    "printf '%.3s\\n' abcdef",
    "printf '%s %s\\n' a",
    "printf '%i\\n' -5",
    "printf '%d\\n' x",
    "printf 'x\\n' a b",
    "env printf",
    "printf '\\\\n\\n'",
    "printf '%+d\\n' 5",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
