"""date."""

import pytest

SCRIPTS = [
    "date -u -d @0",
    "date -u -d @0 +%Y-%m-%dT%H:%M:%SZ",
    "date -u -d @86400 +%s",
    "date -u -d '2024-05-01 10:00' +%F_%T",
    "date -u -d '2024-05-01T10:00:00Z' +%s",
    "date -u -d @0 -R",
    "date -u -d @0 -Iseconds",
    "date -u -d @0 -I",
    "date -u -d @1700000000 '+%a %b %e %j %y %H'",
    "date -u -d @0 +%N",
    "date nonsense",
    "date -u -d nonsense",
    "date -u -d '2024-05-01' +%A",
    "date +%Y | wc -c",
    "date -u -d @0 +%%",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
