"""`kubehop down`."""

import pytest

from cluster.cli import down
from cluster.cli.exits import OK
from cluster.launcher import running


@pytest.fixture
def ended(monkeypatch) -> list[tuple[str, bool]]:
    """The clusters that were ended, and whether they were kept."""
    found: list[tuple[str, bool]] = []

    class Running:
        def __init__(self, name: str) -> None:
            self.name = name

        async def down(self, *, keep: bool) -> None:
            found.append((self.name, keep))

    monkeypatch.setattr(running, "find", Running)
    return found


def test_it_ends_the_cluster_and_says_so(options_of, terminal, ended):
    assert down.run(options_of("down"), terminal) == OK
    assert ended == [("default", False)]
    assert terminal.err.text == "cluster default is down\n"
    assert terminal.out.text == ""


@pytest.mark.parametrize(
    ("name", "command"), [("default", "kubehop up"), ("ci", "kubehop up --name ci")]
)
def test_a_store_that_is_kept_says_who_goes_on_with_it(options_of, terminal, ended, name, command):
    assert down.run(options_of("down", "--keep", "--name", name), terminal) == OK
    assert ended == [(name, True)]
    assert terminal.err.text == (
        f"cluster {name} is down; its store stays: `{command}` goes on with it\n"
    )
