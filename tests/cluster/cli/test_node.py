"""`kubehop node`."""

import pytest

from cluster.cli import node
from cluster.cli.exits import OK
from cluster.cli.node import CRASH, POWER_OFF, SHUTDOWN, stopped_text
from cluster.launcher import running


@pytest.fixture
def orders(monkeypatch) -> list[tuple[str, str, dict[str, str]]]:
    """What launchers were asked."""
    found: list[tuple[str, str, dict[str, str]]] = []

    class Running:
        def __init__(self, name: str) -> None:
            self.name = name

        async def call(self, verb: str, **words: str) -> None:
            found.append((self.name, verb, words))

    monkeypatch.setattr(running, "find", Running)
    return found


@pytest.mark.parametrize(
    ("words", "how"), [((), SHUTDOWN), (("--crash",), CRASH), (("--power-off",), POWER_OFF)]
)
def test_a_node_stops_as_it_is_told(options_of, terminal, orders, words, how):
    assert node.run(options_of("node", "stop", "node-2", *words), terminal) == OK
    assert orders == [("default", "stop_node", {"name": "node-2", "how": how})]
    assert terminal.err.text == stopped_text("node-2", how) + "\n"


def test_a_node_starts_again(options_of, terminal, orders):
    assert node.run(options_of("node", "start", "node-2", "--name", "ci"), terminal) == OK
    assert orders == [("ci", "start_node", {"name": "node-2"})]
    assert terminal.err.text == "node-2 runs again\n"


def test_what_its_clients_see_differs(options_of):
    texts = {how: stopped_text("node-2", how) for how in (SHUTDOWN, CRASH, POWER_OFF)}
    assert "its connections have ended" in texts[SHUTDOWN]
    assert "its connections were reset" in texts[CRASH]
    assert "its connections meet silence" in texts[POWER_OFF]


def test_how_to_undo_it_means_the_same_cluster():
    assert "`kubehop node start node-2` brings it back" in stopped_text("node-2", CRASH)
    text = stopped_text("node-2", CRASH, "ci")
    assert "`kubehop node start node-2 --name ci` brings it back" in text


@pytest.mark.parametrize(
    "words", [(), ("stop",), ("restart", "node-2"), ("stop", "node-2", "--crash", "--power-off")]
)
def test_half_an_order_is_none(options_of, words, capsys):
    with pytest.raises(SystemExit):
        options_of("node", *words)
    assert "error:" in capsys.readouterr().err
