"""Options as getopt reads them."""

import pytest

from node_agent.workloads.tools.options import UsageError, parse

LONG = "all=a lines:=n colour"


@pytest.mark.parametrize(
    ("words", "given", "operands"),
    [
        (["-a", "x"], [("a", "")], ["x"]),
        (["-an3", "x"], [("a", ""), ("n", "3")], ["x"]),
        (["-n", "3"], [("n", "3")], []),
        (["x", "-a"], [("a", "")], ["x"]),
        (["--lines=3", "--all"], [("n", "3"), ("a", "")], []),
        (["--lines", "3"], [("n", "3")], []),
        (["--col"], [("colour", "")], []),
        (["--", "-a"], [], ["-a"]),
        (["-"], [], ["-"]),
    ],
)
def test_what_is_given(words, given, operands):
    options = parse(words, "an:", LONG)
    assert (list(options.given), list(options.operands)) == (given, operands)


def test_the_first_operand_may_end_options():
    options = parse(["-a", "cmd", "-a"], "a", mixed=False)
    assert options.operands == ("cmd", "-a")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-z"], "invalid option -- 'z'"),
        (["-:"], "invalid option -- ':'"),
        (["-n"], "option requires an argument -- 'n'"),
        (["--zzz"], "unrecognized option '--zzz'"),
        (["--lines"], "option '--lines' requires an argument"),
        (["--all=1"], "option '--all' doesn't allow an argument"),
    ],
)
def test_what_makes_no_sense(words, text):
    with pytest.raises(UsageError) as error:
        parse(words, "an:", LONG, code=2)
    assert (str(error.value), error.value.code) == (text, 2)


def test_values():
    options = parse(["-n1", "-n2"], "n:")
    assert (options.value("n"), options.values("n"), options.number("n", 9)) == ("2", ["1", "2"], 2)
    assert parse([], "n:").number("n", 9) == 9
    with pytest.raises(UsageError, match="invalid number 'x'"):
        parse(["-nx"], "n:").number("n", 9)
