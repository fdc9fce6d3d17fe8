"""cut, tr, paste, fold."""

import pytest

SCRIPTS = [
    "echo a:b:c | cut -d: -f2",
    "echo a:b:c | cut -d : -f 1,3",
    "echo a:b:c | cut -d: -f2-",
    "echo abcdef | cut -c2-4",
    "echo abc | cut -d: -f1",
    "echo abc | cut -s -d: -f1",
    "printf 'a\\tb\\n' | cut -f2",
    "echo a:b:c | cut -d: -f1,3 --output-delimiter=-",
    "echo abc | cut",
    "echo a | cut -f 0",
    "echo a:b:c | cut -d: --complement -f2",
    "echo hello | tr a-z A-Z",
    "echo hello | tr -d l",
    "echo heello | tr -s e",
    "echo hello | tr l x",
    "echo 'a b' | tr ' ' '\\n'",
    "echo hello | tr -cd 'a-h\\n'",
    "echo HELLO | tr '[:upper:]' '[:lower:]'",
    "echo hello | tr -d '[:alpha:]'",
    "echo abc | tr abc x",
    "tr",
    "echo a | tr a",
    "echo a,b | tr , '\\t'",
    "printf '1\\n2\\n' > a; printf 'x\\ny\\n' > b; paste a b; paste -d, a b; paste -s a",
    "printf '1\\n2\\n3\\n' | paste -s -d+",
    "echo abcdefghij | fold -w 4",
    "echo abc | cut -b1",
    "printf 'a\\n\\nb\\n' | tr -s '\\n'",
    "echo aXbX | tr X '\\012'",
    "echo hello | tr -c 'a-z' '-'",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
