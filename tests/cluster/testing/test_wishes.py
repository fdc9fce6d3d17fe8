"""What kind of cluster a test wants."""

from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.testing.wishes import Wishes, parse_wishes

ROOT = Path("/project")


def test_who_wishes_nothing_gets_three_nodes_and_the_projects_directory() -> None:
    wishes = parse_wishes({"nodes": "", "app_dir": ""}, (), ROOT)
    assert wishes.nodes == 3 and wishes.app_dir == ROOT and wishes.images == ()
    assert wishes.durable is False


def test_texts_of_the_command_line_are_read() -> None:
    texts = {"nodes": "5", "app_dir": "examples", "time_scale": "0.5", "settled_seconds": "60"}
    wishes = parse_wishes(texts, ("a=echo",), ROOT)
    assert wishes == Wishes(
        nodes=5,
        app_dir=ROOT / "examples",
        images=("a=echo",),
        time_scale=0.5,
        settled_seconds=60.0,
    )


def test_a_marker_counts_more_than_the_command_line() -> None:
    wishes = parse_wishes({"nodes": "5", "app_dir": "examples"}, ("a=echo",), ROOT)
    marked = wishes.with_marker(
        {"nodes": 2, "images": ["b=http", "c=tcp"], "app_dir": "shop", "zones": "west"}
    )
    assert marked.nodes == 2 and marked.images == ("b=http", "c=tcp")
    assert marked.app_dir == ROOT / "examples" / "shop" and marked.zones == ("west",)
    assert wishes.with_marker({}) == wishes


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ({"nodez": 2}, r"nodez is unknown; it takes app_dir, durable, images.*nodes"),
        ({"nodes": 0}, "nodes=0: a cluster has 1 to 250 nodes"),
        ({"nodes": 251}, "nodes=251"),
        ({"images": ["nginx"]}, "'nginx' is not PATTERN=WORKLOAD"),
        ({"time_scale": 0.0}, r"time_scale=0\.0: must be above 0"),
        ({"settled_seconds": -1}, "settled_seconds=-1: must be above 0"),
    ],
)
def test_what_no_cluster_can_be_made_of_is_said(marker: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Wishes().with_marker(marker)


def test_a_text_that_is_no_number_is_said() -> None:
    with pytest.raises(ConfigError, match="kubehop nodes: 'many' is not a number"):
        parse_wishes({"nodes": "many"}, (), ROOT)
