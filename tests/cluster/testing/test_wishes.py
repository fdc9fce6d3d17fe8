"""What kind of cluster a test wants."""

from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.testing.wishes import Wishes, parse_wishes

ROOT = Path("/project")


def ini(**texts: str) -> dict[str, str]:
    return {f"kubehop_{name}": text for name, text in texts.items()}


def test_who_wishes_nothing_gets_three_nodes_and_the_projects_directory() -> None:
    wishes = parse_wishes(ini(nodes="", app_dir=""), (), ROOT)
    assert wishes.nodes == 3 and wishes.app_dir == ROOT and wishes.images == ()
    assert wishes.durable is False


def test_texts_of_the_ini_file_are_read() -> None:
    texts = ini(nodes="5", app_dir="examples", time_scale="0.5", settled_seconds="60")
    wishes = parse_wishes(texts, ("a=echo",), ROOT)
    assert wishes == Wishes(
        nodes=5,
        app_dir=ROOT / "examples",
        images=("a=echo",),
        time_scale=0.5,
        settled_seconds=60.0,
    )


def test_a_marker_counts_more_than_what_it_is_put_on_top_of() -> None:
    wishes = parse_wishes(ini(nodes="5", app_dir="examples"), ("a=echo",), ROOT)
    assert wishes.on_top({"nodes": 4}).nodes == 4
    marked = wishes.with_marker(
        (),
        {
            "nodes": 2,
            "images": ["b=http", "c=tcp"],
            "app_dir": "shop",
            "zones": "west",
            "manifests": [Path("shop.yaml")],
            "durable": True,
            "audit": True,
            "time_scale": 1,
        },
    )
    assert marked.nodes == 2 and marked.images == ("b=http", "c=tcp")
    assert marked.app_dir == ROOT / "examples" / "shop" and marked.zones == ("west",)
    assert marked.manifests == ("shop.yaml",) and marked.durable and marked.audit
    assert wishes.with_marker((), {}) == wishes


def test_an_absolute_directory_is_itself() -> None:
    assert Wishes(app_dir=ROOT).on_top({"app_dir": "/elsewhere"}).app_dir == Path("/elsewhere")


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ({"nodez": 2}, r"nodez= is unknown; it takes app_dir=, audit=.*hand_over=.*nodes="),
        ({"nodes": 0}, "nodes=0: a cluster has 1 to 500 nodes"),
        ({"nodes": 501}, "nodes=501"),
        ({"nodes": "2"}, "marker kubehop: nodes='2': it must be a number"),
        ({"nodes": True}, "nodes=True: it must be a number"),
        ({"nodes": 2.5}, r"nodes=2\.5: it must be a number"),
        ({"images": ["nginx"]}, "image 'nginx': it must be PATTERN=WORKLOAD"),
        ({"images": {"a": "b"}}, "images={'a': 'b'}: it must be a list of texts"),
        ({"zones": [1]}, r"zones=\[1\]: it must be a list of texts"),
        ({"app_dir": None}, "app_dir=None: it must be a path"),
        ({"durable": 1}, "durable=1: it must be True or False"),
        ({"time_scale": 0.0}, r"time_scale=0\.0: it must be above 0"),
        ({"settled_seconds": -1}, "settled_seconds=-1: it must be above 0"),
    ],
)
def test_what_no_cluster_can_be_made_of_is_said(marker: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Wishes().with_marker((), marker)


def test_a_markers_argument_has_a_name() -> None:
    with pytest.raises(ConfigError, match=r"marker kubehop: 2 has no name; it takes .*nodes="):
        Wishes().with_marker((2,), {})


@pytest.mark.parametrize("name", ["nodes", "time_scale", "settled_seconds"])
def test_a_text_that_is_no_number_is_said(name: str) -> None:
    with pytest.raises(ConfigError, match=f"kubehop_{name} = many: it must be a number"):
        parse_wishes(ini(**{name: "many"}), (), ROOT)
