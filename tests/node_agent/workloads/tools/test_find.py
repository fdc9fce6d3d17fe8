"""find."""

import pytest

SCRIPTS = [
    "T='mkdir -p a/b; touch a/x.txt a/b/y.txt z'; eval $T; find . | sort",
    "mkdir -p a/b; touch a/x.txt a/b/y z; find . -name '*.txt'",
    "mkdir -p a/b; touch a/f; find . -type f",
    "mkdir -p a/b; find . -type d | sort",
    "mkdir -p a/b/c; find . -maxdepth 1 | sort",
    "mkdir -p a/b/c; find . -mindepth 2 | sort",
    "touch a b; find . -name a -o -name b | sort",
    "touch a b; find . ! -name a -type f",
    "touch a; find a -exec echo found {} ';'",
    "touch a b; find . -type f -exec echo {} + | wc -w",
    "touch a b; find . -type f -delete; ls",
    "touch a; echo x > b; find . -type f -empty",
    "touch a; echo x > b; find . -size -2c -type f",
    "find nope",
    "find . -bogus",
    "touch a; find . -iname A",
    "touch a; find . -path './a'",
    "touch a b; find . -type f -print0 | xargs -0 ls",
    "touch a b; find . '(' -name a -o -name b ')' -type f | sort",
    "ln -s x l; find . -type l",
    "touch a; find . -newer a -type f",
    "touch -d @0 a; touch b; find . -mtime +10",
    "find . -name",
    "mkdir d; find d -type d -empty",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
