"""wc, seq, nl."""

import pytest

FILES = r"printf 'one\ntwo\nthree\nfour\nfive\n' > f; printf 'x y z\n\nlast' > g; "
SCRIPTS = [
    "wc f",
    "wc -l f",
    "wc -w f g",
    "wc -c < f",
    "wc < g",
    "wc -l < f",
    "printf 'a b' | wc",
    "wc -m f",
    "wc -lw f",
    "wc nope",
    "wc f nope",
    "seq 3",
    "seq -s , 499",
    "seq -s , 500",
    "seq -s , 501",
    "seq 1500 | md5sum",
    "seq 2 4",
    "seq 1 2 7",
    "seq 5 -2 1",
    "seq -s , 3",
    "seq -w 8 10",
    "seq 0.5 1 3",
    "seq 3 1",
    "seq a",
    "seq 1 0 2",
    "seq",
    "nl f",
    "nl g",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(FILES + script)
