"""xargs."""

import pytest

SCRIPTS = [
    "echo a b c | xargs",
    "echo a b c | xargs -n 1 echo x",
    "printf 'a\\nb\\n' | xargs -I {} echo '<{}>'",
    "printf 'a\\0b c\\0' | xargs -0 -n1 echo",
    "echo | xargs echo none",
    "echo | xargs -r echo none",
    "echo 1 | xargs false",
    "echo 1 | xargs nonexistent_xyz",
    "printf '%s\\n' 'a b' \"'c d'\" | xargs -n1 echo",
    "printf 'a,b' | xargs -d , -n1 echo",
    "echo x | xargs sh -c 'echo $0 $1' y",
    "seq 5 | xargs -n 2",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
