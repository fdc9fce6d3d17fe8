"""/dev."""

import pytest


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("echo gone > /dev/null; cat /dev/null; echo $?", "0\n"),
        ("head -c 4 /dev/zero | wc -c", "4\n"),
        ("head -c 4 /dev/urandom | wc -c", "4\n"),
        ("echo hi > /dev/stdout", "hi\n"),
        ("echo hi | cat /dev/stdin", "hi\n"),
        ("echo hi 2>&1 >/dev/stderr | cat; echo end", "hi\nend\n"),
        ("{ echo err > /dev/stderr; } 2>&1", "err\n"),
        ("cd /dev; echo gone > null; wc -c < null", "0\n"),
        ("echo x > /dev/full || echo full", "full\n"),
        ("echo a | tee /dev/null", "a\n"),
    ],
)
async def test_devices_do_what_they_do(container, script, out):
    assert (await container.sh(script)).out == out
