"""env, which, id, uname."""

import pytest

SCRIPTS = [
    "A=1 env | grep ^A=",
    "env -i B=2 env",
    "env -u HOME env | grep -c ^HOME=",
    "env A=5 sh -c 'echo $A'",
    "env nonexistent_xyz 2>/dev/null; echo $?",
    "env -Q",
    "printenv HOME",
    "printenv NOPE",
    "which sh | wc -l",
    "which nonexistent_xyz",
    "uname",
    "uname -s",
    "uname -m",
    "uname -sr",
    "nproc",
    "tty",
    "uname -Q",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)


async def test_a_container_is_root_to_itself(container):
    """Whoever runs the node on this machine."""
    assert (await container.sh("id -u; id -un; whoami")).out == "0\nroot\nroot\n"
