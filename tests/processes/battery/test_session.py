"""What a session's text says, and what counts as printed."""

import pytest

from tests.processes.battery.session import Step, Versions, filled, marked, matches, parse

NEW = Versions((1, 37), (4, 3))
OLD = Versions((1, 27), (3, 12))


def test_a_session_is_commands_with_what_they_print() -> None:
    text = "# first\n\n$ echo one\none\n\n$ cat <<E\n> two\n> E\ntwo\n? 3\n"
    assert parse(text, NEW) == [
        Step(3, "echo one", ("one", "")),
        Step(6, "cat <<E\ntwo\nE", ("two",), 3),
    ]


@pytest.mark.parametrize(
    ("limit", "new", "old"),
    [
        ("1.30+", True, False),
        ("1.29-", False, True),
        ("1.27-1.30", False, True),
        ("1.31-1.37", True, False),
        ("helm 4+", True, False),
        ("helm 3-", False, True),
    ],
)
def test_commands_and_lines_are_for_some_versions(limit: str, new: bool, old: bool) -> None:
    text = f"$ [{limit}] run\n$ always\n[{limit}] seen\n"
    for versions, meant in ((NEW, new), (OLD, old)):
        steps = parse(text, versions)
        assert [each.command for each in steps] == [*(["run"] if meant else []), "always"]
        assert steps[-1].expected == (("seen",) if meant else ())


def test_output_before_a_command_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="line 1: 'what' belongs to no command"):
        parse("what\n", NEW)


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        (["NAME  AGE", "web <age>"], "NAME   AGE\nweb    2m3s\n"),
        (["web-<pod>"], "web-7d5c9b8f6-x2x4z"),
        (["ip <ip> <any>"], "ip 10.244.0.7 and so on"),
        (["first", "...", "last"], "first\nsecond\n\nlast\n"),
        (["..."], ""),
        ([], "\n"),
        (["a (b) [c] *"], "a (b) [c] *"),
        (["error", "out <age>"], "out 3s\nerror"),
    ],
)
def test_output_that_fits(expected: list[str], output: str) -> None:
    assert matches(expected, output)


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        (["web <age>"], "web soon"),
        (["first", "..."], "zeroth\nfirst"),
        ([], "something"),
        (["one"], "one\ntwo"),
        (["web-<pod>"], "web-Upper"),
    ],
)
def test_output_that_does_not_fit(expected: list[str], output: str) -> None:
    assert not matches(expected, output)


def test_a_session_is_filled_with_what_was_printed() -> None:
    text = "# c\n$ one\nold\n\n# d\n$ two\n> more\n"
    said = {2: ("new\n# 1\n\n", 0), 6: ("", 4)}
    assert filled(text, said) == "# c\n$ one\nnew\n<any> 1\n# d\n$ two\n> more\n? 4\n"


def test_what_will_differ_is_marked() -> None:
    output = "web-7d5c9b8f6b-x2x4z 1/1 10.244.0.7 5m3s\nx deleted from mine namespace\nin mine\n"
    assert marked(output, "mine") == "web-<pod> 1/1 <ip> <age>\nx deleted<any>\nin <ns>\n"
    assert matches(marked(output, "mine").splitlines(), output)
