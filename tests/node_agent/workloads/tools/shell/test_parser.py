"""Text to trees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.workloads.tools.shell.names import command_names
from node_agent.workloads.tools.shell.parser import parse
from node_agent.workloads.tools.shell.syntax import (
    Arithmetic,
    Case,
    For,
    Function,
    Group,
    If,
    Incomplete,
    Literal,
    Parameter,
    ShellSyntaxError,
    Simple,
    Substitution,
    While,
)


def one(text):
    (item,) = parse(text)
    (command,) = item.first.commands
    return command


def test_words_are_parts():
    command = one("a=1 echo \"x $y\"'z' $(date) $((1+2)) ${u:-v}")
    assert command.assignments == (("a", (Literal("1"),)),)
    echo, mixed, substitution, arithmetic, parameter = command.words
    assert echo == (Literal("echo"),)
    assert mixed == (Literal("x ", True), Parameter("y", quoted=True), Literal("z", True))
    assert substitution == (Substitution(parse("date")),)
    assert arithmetic == (Arithmetic((Literal("1+2", True),)),)
    assert parameter == (Parameter("u", ":-", (Literal("v"),)),)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("if a; then b; elif c; then d; else e; fi", If),
        ("while a; do b; done", While),
        ("until a; do b; done", While),
        ("for i in 1 2; do a; done", For),
        ("for i; do a; done", For),
        ("case x in (a|b) c;; *) ;; esac", Case),
        ("{ a; }", Group),
        ("(a)", Group),
        ("f() { a; }", Function),
        ("a b >c 2>&1", Simple),
    ],
)
def test_each_command_has_its_kind(text, kind):
    assert isinstance(one(text), kind)


def test_a_here_document_is_the_text_after_its_line():
    first, second = parse("cat <<A <<-'B' | x\none $y\nA\n\ttwo $z\n\tB\necho after")
    cat = first.first.commands[0]
    expanded, plain = (each.here for each in cat.redirects)
    assert expanded.word == (
        Literal("one ", True),
        Parameter("y", quoted=True),
        Literal("\n", True),
    )
    assert plain.word == (Literal("two $z\n", True),)
    assert second.first.commands[0].words[0] == (Literal("echo"),)


@pytest.mark.parametrize("text", ["if a; then", "a |", "a &&", "'x", '"x', "$(a", "${a", "{ a"])
def test_what_may_go_on_is_incomplete(text):
    """A person is asked for another line."""
    with pytest.raises(Incomplete):
        parse(text)


@pytest.mark.parametrize("text", [")", "fi", ";;", "a ( b", "for 1 in x; do y; done", "${a b}"])
def test_what_cannot_go_on_is_an_error(text):
    with pytest.raises(ShellSyntaxError) as error:
        parse(text)
    assert not isinstance(error.value, Incomplete)


@pytest.mark.parametrize(
    "text", ["(" * 5000, "$(" * 5000, "{ " * 5000, '"$(' * 3000, "${a:-" * 5000]
)
def test_deep_nesting_is_refused_and_no_recursion(text):
    with pytest.raises((ShellSyntaxError, RecursionError)):
        parse(text)


@given(
    st.text(alphabet="abc $(){}'\"`\\;&|<>\n#=if fi do done then case esac in!*?[]-", max_size=40)
)
def test_any_text_is_a_tree_or_a_syntax_error(text):
    try:
        parse(text)
    except ShellSyntaxError:
        return


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("echo a; sleep 1", {"echo", "sleep"}),
        ("x=$(date | cut -c1)", {"date", "cut"}),
        ("f() { ls; }; f", {"ls"}),
        ("exec ./server", {"server"}),
        ("env A=1 -i java -jar x", {"java"}),
        ("if [ -f x ]; then nginx; fi", {"nginx"}),
        ("$CMD", None),
        ("unclosed '", None),
    ],
)
def test_which_commands_a_script_calls(text, names):
    assert command_names(text) == (names if names is None else frozenset(names))
