"""The verb without a cluster: its options, its words, and what it does when a claim is wrong."""

import argparse
import io
from typing import Any

from cluster.cli.demo.scenario import DoesNotHold, Scenario
from cluster.cli.demo.verb import (
    TIME_SCALE,
    add_arguments,
    introduction,
    play,
    run,
    spec_of,
    summary,
)
from cluster.cli.terminal import Terminal


def terminal() -> Terminal:
    return Terminal(io.StringIO(), io.StringIO(), {})


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def test_listing_needs_no_cluster() -> None:
    shown = terminal()
    assert run(options("--list"), shown) == 0
    assert len(shown.out.getvalue().splitlines()) == 10  # type: ignore[attr-defined]


def test_the_demos_cluster_is_durable_has_three_nodes_and_lives_fast() -> None:
    spec = spec_of(options().name)
    assert (spec.name, spec.nodes, spec.durable) == ("demo", 3, True)
    assert spec.time_scale == TIME_SCALE < 0.1
    assert spec.manifests[0].name == "shop.yaml" and (spec.app_dir / "shop").is_dir()


class Claims:
    """As much of a stage as the walk needs."""

    claims = 0


def scenario(number: int, error: Exception | None = None) -> Scenario:
    async def play_it(stage: Any) -> None:
        stage.claims += 1
        if error is not None:
            raise error

    return Scenario(number, f"title {number}", "A lesson.", play_it)


async def test_all_that_hold_are_a_success() -> None:
    shown = terminal()
    stage: Any = Claims()
    assert await play(stage, [scenario(1), scenario(2)], shown) == 0
    text = shown.out.getvalue()  # type: ignore[attr-defined]
    assert "── 1 of 10 ── title 1" in text and "2 scenarios, 2 claims: all of them hold" in text


async def test_one_that_does_not_hold_is_told_and_the_others_are_played() -> None:
    shown = terminal()
    stage: Any = Claims()
    wrong = [scenario(1, DoesNotHold("the shop answers: found 502")), scenario(2, TimeoutError())]
    assert await play(stage, [*wrong, scenario(3)], shown) == 1
    told = shown.err.getvalue()  # type: ignore[attr-defined]
    assert "scenario 1 does not hold: the shop answers: found 502" in told
    assert "not as claimed: 1, 2" in shown.out.getvalue()  # type: ignore[attr-defined]
    assert stage.claims == 3


def test_the_words_around_it() -> None:
    assert "--name demo" in introduction("demo")
    assert all(len(line) <= 80 for line in introduction("demo").splitlines())
    assert summary(1, 4, []) == "\n1 scenario, 4 claims: all of them hold"
