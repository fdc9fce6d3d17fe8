"""Which flows `kubehop trace` is asked for."""

import pytest

from cluster.cli.trace_query import check_id, query_of
from cluster.errors import ConfigError
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import FlowKind

ID = "4c1f9a2b7d3e6f80"


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ((), Query(kind=FlowKind.TRAFFIC)),
        (("--kind", "all"), Query()),
        (("--kind", "dns"), Query(kind=FlowKind.DNS)),
        (("--outcome", "dropped"), Query(kind=FlowKind.TRAFFIC, outcome=Outcome.DROPPED)),
        (("--protocol", "UDP"), Query(kind=FlowKind.TRAFFIC, protocol=Protocol.UDP)),
        (
            ("--source", "203.0.113.7"),
            Query(kind=FlowKind.TRAFFIC, source=SocketAddress("203.0.113.7", 0)),
        ),
        (
            ("--destination", "10.96.0.10:80"),
            Query(kind=FlowKind.TRAFFIC, destination=SocketAddress("10.96.0.10", 80)),
        ),
    ],
)
def test_options_are_a_query(options_of, words, query):
    assert query_of(options_of("trace", *words)) == query


def test_an_address_that_is_none_is_named_with_its_option(options_of):
    with pytest.raises(ConfigError, match=r"^--source"):
        query_of(options_of("trace", "--source", "frontend"))


@pytest.mark.parametrize("words", [("--outcome", "lost"), ("--kind", "web"), ("--protocol", "IP")])
def test_words_that_are_no_choice_are_refused(options_of, words, capsys):
    with pytest.raises(SystemExit):
        options_of("trace", *words)
    assert f"invalid choice: '{words[1]}'" in capsys.readouterr().err


def test_an_id_is_16_hexadecimal_digits(options_of):
    check_id(options_of("trace", ID))


@pytest.mark.parametrize("text", ["deadbeef", ID + "0", ID.upper(), "frontend", "-"])
def test_what_is_no_id_is_told_what_one_is(options_of, text):
    with pytest.raises(ConfigError, match="is no flow's ID: those are 16 hexadecimal digits"):
        check_id(options_of("trace", text))


@pytest.mark.parametrize(
    "words",
    [("--outcome", "dropped"), ("--kind", "dns"), ("--kind", "all"), ("--source", "1.2.3.4")],
)
def test_an_id_leaves_nothing_to_filter(options_of, words):
    with pytest.raises(ConfigError, match="a flow's ID names it already"):
        check_id(options_of("trace", ID, *words))
