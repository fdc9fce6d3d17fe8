"""cat, tee, tac, rev."""

import pytest

FILES = r"printf 'one\ntwo\nthree\nfour\nfive\n' > f; printf 'x y z\n\nlast' > g; "
SCRIPTS = [
    "cat f",
    "cat f g",
    "cat -n f g",
    "cat -b g",
    "cat -s g",
    "cat < f",
    "cat f - < g",
    "cat nope",
    "cat f nope g",
    "cat -A g",
    "cat -E g",
    "printf 'a\\tb\\n' | cat -T",
    "tac f",
    "rev f",
    "echo hi | tee a b; cat a b",
    "echo 1 > a; echo 2 | tee -a a; cat a",
    "cat -z",
    "cat -u f",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(FILES + script)
