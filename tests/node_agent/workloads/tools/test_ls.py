"""ls."""

import pytest

MADE = "mkdir d; printf abc > f; touch -d @1700000000 f d; touch .hidden; ln -s f l; chmod 755 d; "


@pytest.mark.parametrize(
    "script",
    ["ls", "ls -a", "ls -A", "ls -1", "ls f", "ls d", "ls -d d", "ls f d", "ls nope", "ls f nope",
     "ls -R", "ls -r", "ls -F", "ls -p", "ls -l f | cut -c1-10", "ls -l f | wc -l",
     "ls -lh f | cut -c1-10",
     "touch d/x; ls -R d", "touch d/x; ls d f", "ls -Q9", "ls -S", "ls -tr f d", "ls -U9",
     "ls -n f | cut -d' ' -f1-2", "ls -l l | sed 's/.* l/l/'", "ls -ld d | cut -c1-10"],
)  # fmt: skip
async def test_it_does_what_the_machines_own_does(same, script):
    await same(MADE + script)


async def test_a_long_listing_has_mode_owner_size_and_time(container):
    script = "cd /tmp; printf abc > f; touch -d @1700000000 f; ls -l f; ls -l; ls -n f"
    assert (await container.sh(script)).out == (
        "-rw-r--r-- 1 root root 3 Nov 14  2023 f\n"
        "total 4\n"
        "-rw-r--r-- 1 root root 3 Nov 14  2023 f\n"
        "-rw-r--r-- 1 0 0 3 Nov 14  2023 f\n"
    )
