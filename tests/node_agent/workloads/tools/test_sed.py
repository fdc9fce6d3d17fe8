"""sed."""

import pytest

FILES = r"printf 'one\ntwo\nthree\nfour\nfive\n' > f; printf 'x y z\n\nlast' > g; "
SCRIPTS = [
    "sed s/o/0/ f",
    "sed s/e/E/g f",
    "sed -n 2p f",
    "sed -n '2,3p' f",
    "sed 2d f",
    "sed '2,3d' f",
    "sed '$d' f",
    "sed -n '$p' f",
    "sed '/two/d' f",
    "sed -n '/two/,/four/p' f",
    "sed 's/\\(t\\)\\(w\\)/\\2\\1/' f",
    "sed -E 's/(t)(w)/\\2\\1/' f",
    "sed 's/o/[&]/' f",
    "sed s,o,/, f",
    "sed 's/o/x/;s/e/y/' f",
    "sed -e s/o/x/ -e s/e/y/ f",
    "sed 2q f",
    "sed -n = f",
    "sed '2a after' f",
    "sed '2i before' f",
    "sed '2c changed' f",
    "sed y/oe/01/ f",
    "sed 's/E/x/I' f",
    "sed -i s/one/ONE/ f; cat f",
    "sed s/nope/x/ g",
    "sed '1!d' f",
    "sed 's/e/X/2' f",
    "sed -n 's/two/2/p' f",
    "sed s/a",
    "sed k f",
    "sed",
    "echo a/b | sed 's/\\//-/'",
    "echo 'a.b' | sed 's/\\./-/'",
    "echo aaa | sed 's/a*/x/g'",
    "echo abc | sed 's/b*/x/'",
    "sed 's/$/!/' f",
    "sed 's/^/> /' f",
    "echo hello | sed 's/l\\+/L/'",
    "sed '' f",
    "sed s/o/x/ nope",
    "sed '/^$/d' g",
    "sed '2,/four/s/^/-/' f",
    "sed -n '/one/p' f",
    "printf 'a  b\\n' | sed 's/ \\{2,\\}/ /'",
    "echo path=x | sed 's|path=|p=|'",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(FILES + script)
