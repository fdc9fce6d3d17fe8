"""md5sum, sha*sum, base64."""

import pytest

SCRIPTS = [
    "printf abc > f; md5sum f; sha1sum f; sha256sum f; sha512sum f",
    "printf abc | md5sum",
    "md5sum nope",
    "printf abc > f; sha256sum f > s; sha256sum -c s",
    "printf abc > f; sha256sum f > s; printf x > f; sha256sum -c s 2>/dev/null",
    "printf hello | base64",
    "printf hello | base64 | base64 -d",
    "seq 100 | base64",
    "seq 100 | base64 -w 0",
    "echo '!!' | base64 -d 2>/dev/null | wc -c",
    "echo aGk= | base64 --decode",
    "base64 nope",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
