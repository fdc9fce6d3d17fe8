"""basename, dirname, readlink, realpath, stat, du."""

import pytest

SCRIPTS = [
    "basename /a/b/c.txt",
    "basename /a/b/c.txt .txt",
    "basename a/",
    "basename /",
    "basename -s .x a.x b.x",
    "basename",
    "dirname /a/b/c",
    "dirname a",
    "dirname /a",
    "dirname a/b/",
    "dirname /",
    "dirname",
    "readlink nope",
    "ln -s /etc l; readlink l",
    "touch f; readlink f",
    "mkdir -p a/b; ln -s b a/l; cd a; readlink -f l | sed 's|.*/a/|a/|'",
    "echo abc > f; stat -c '%n %s %F %a' f",
    "mkdir d; stat -c %F d",
    "stat nope",
    "stat -c %s nope f",
    "ln -s x l; stat -c %F l",
    "stat",
    "pwd -P | grep -c w",
    "touch f; du -k f",
    "du nope",
    "mkdir d; du -s d | cut -f2",
    "realpath /",
    "printf abc > f; stat -c '%s%%' f",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
