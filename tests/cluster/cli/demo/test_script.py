"""How the demo looks: it fits 80 columns, and is plain where there is no terminal."""

import shlex

from cluster.cli.demo import script
from cluster.cli.demo.scenario import Scenario
from cluster.cli.terminal import BOLD, RESET

WIDTH = 80
POD = "pod/frontend-kgfhfnrpkj-7nscg"


async def nothing(_: object) -> None:
    """A scenario without a play."""


SCENARIO = Scenario(3, "A pod asks by name", "One\n    lesson, " * 12, nothing)


def test_a_heading_is_a_ruled_line_and_the_lesson_in_lines_that_fit() -> None:
    _, rule, *lesson = script.heading(SCENARIO, 10, width=WIDTH, colour=False).split("\n")
    assert rule.startswith("── 3 of 10 ── A pod asks by name ──") and len(rule) == WIDTH
    assert len(lesson) > 1 and all(len(line) <= WIDTH for line in lesson)
    assert "  " not in " ".join(lesson), "the source's own line ends are gone"


def test_colour_is_for_terminals() -> None:
    plain = script.heading(SCENARIO, 10, width=WIDTH, colour=False)
    coloured = script.heading(SCENARIO, 10, width=WIDTH, colour=True)
    assert "\x1b" not in plain
    assert coloured.replace(BOLD, "").replace(RESET, "") == plain


def test_a_name_with_hyphens_is_not_torn_apart() -> None:
    text = script.paragraph(f"{'x ' * 35}frontend-kgfhfnrpkj-7nscg", WIDTH)
    assert text.split("\n")[-1] == "frontend-kgfhfnrpkj-7nscg"


def test_a_long_command_goes_on_behind_a_backslash_and_is_the_same_command() -> None:
    words = ["kubehop", "curl", "http://cart.shop.svc.cluster.local/", "--from", POD]
    words += ["-n", "shop", "-d", "from a pod", "-m", "0.7", "--trace"]
    shown = script.command(shlex.join(words), width=WIDTH, colour=False)
    first, *rest = shown.removeprefix("\n").split("\n")
    assert first.startswith("$ kubehop curl") and len(rest) >= 1
    assert all(len(line) <= WIDTH for line in (first, *rest))
    typed = shown.removeprefix("\n$ ").replace("\\\n", " ")
    assert shlex.split(typed) == words


def test_an_option_stays_with_its_value() -> None:
    text = f"kubehop curl http://cart.shop.svc.cluster.local./ --from {POD} -n shop --trace"
    for width in range(60, 100):
        lines = script.command(text, width=width, colour=False).split("\n")
        assert not any(line.endswith(("--from \\", "-n \\")) for line in lines), lines


def test_a_requests_command_says_only_what_differs_from_the_defaults() -> None:
    def command(**given: object) -> str:
        plain = {"source": "internet", "data": "", "seconds": None, "traced": False}
        return script.curl_command("http://a/", namespace="shop", **{**plain, **given})

    assert command() == "kubehop curl http://a/"
    assert command(traced=True) == "kubehop curl http://a/ --trace"
    assert command(source="203.0.113.7") == "kubehop curl http://a/ --from 203.0.113.7"
    assert command(source="node/node-1") == "kubehop curl http://a/ --from node/node-1"
    assert command(source="pod/web") == "kubehop curl http://a/ --from pod/web -n shop"
    assert command(data="a b", seconds=0.7) == "kubehop curl http://a/ -d 'a b' -m 0.7"


def test_output_is_set_off_and_what_is_too_long_goes_on_below() -> None:
    shown = script.indented("NAME   IP\nweb    10.244.1.2\n" + "word " * 30, WIDTH).split("\n")
    assert shown[:2] == ["  NAME   IP", "  web    10.244.1.2"], "a layout is kept"
    assert shown[2].startswith("  word") and all(line.startswith("    word") for line in shown[3:])
    assert all(len(line) <= WIDTH for line in shown)


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    rows = [("NAME", "IP"), ("web", "10.244.1.2"), ("a-long-name", "")]
    assert script.table(rows) == "NAME         IP\nweb          10.244.1.2\na-long-name"


def test_a_claim_is_marked_and_fits() -> None:
    held = script.claim("it is " * 20, holds=True, width=WIDTH, colour=False)
    assert held.startswith("✓ it is") and all(len(line) <= WIDTH for line in held.split("\n"))
    assert script.claim("so", holds=False, width=WIDTH, colour=False) == "✗ so"
    assert "\x1b" in script.claim("so", holds=False, width=WIDTH, colour=True)
