"""grep."""

import pytest

FILES = r"printf 'one\ntwo\nthree\nfour\nfive\n' > f; printf 'x y z\n\nlast' > g; "
SCRIPTS = [
    "grep o f",
    "grep -c o f",
    "grep -v o f",
    "grep -n o f",
    "grep -i ONE f",
    "grep -l o f g",
    "grep -L o f g",
    "grep o f g",
    "grep -h o f g",
    "grep -H one f",
    "grep -o 't[a-z]' f",
    "grep -w on f",
    "grep -x one f",
    "grep -q o f",
    "grep -q zzz f",
    "grep zzz f",
    "grep -E 'one|two' f",
    "grep 'one\\|two' f",
    "grep '^t' f",
    "grep 'e$' f",
    "grep -F 'a.b' f",
    "grep -e one -e five f",
    "grep -A1 two f",
    "grep -B1 two f",
    "grep -C1 three f",
    "grep -m 1 o f",
    "grep o nope",
    "grep -s o nope",
    "grep",
    "grep -y",
    "cat f | grep t",
    "grep '[[:digit:]]' f",
    "echo a1 | grep '[[:digit:]]'",
    "echo 'a+b' | grep 'a+b'",
    "echo aab | grep -E 'a{2}b'",
    "echo aab | grep 'a\\{2\\}b'",
    "echo abab | grep -E '(ab)\\1'",
    "grep '' f",
    "mkdir d; cp f d/x; grep -r one d",
    "grep -rl one .",
    "grep -nA1 one f",
    "grep -c zzz f",
    "echo 'x*y' | grep '*y'",
    "grep -vc e f",
    "grep -in T f",
    "grep -E '^(one|two)$' f",
    "grep -on e f",
    "grep '[' f",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(FILES + script)
