"""What a request for streams may ask for, and how it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from cluster.errors import ApiError
from control.apiserver.streams.negotiation import (
    PORTS_MAX,
    SPDY_COMMAND_PROTOCOLS,
    WEBSOCKET_COMMAND_PROTOCOLS,
    CommandStreams,
    Upgrade,
    asks_spdy,
    command_streams,
    port_of,
    ports_of,
    spdy_protocol,
    upgrade_of,
    websocket_protocol,
)

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n%s\r\nContent-Length: 0"


@pytest.mark.parametrize(
    "line", [b"Upgrade: SPDY/3.1", b"upgrade:spdy/3.1 ", b"UPGRADE:\tSPDY/3.1"]
)
def test_the_head_of_a_request_for_spdy_is_known(line):
    assert asks_spdy(HEAD % line)


@pytest.mark.parametrize(
    "line",
    [b"Upgrade: websocket", b"X-Upgrade: SPDY/3.1", b"Upgrade: SPDY/3.12", b"A: upgrade: SPDY/3.1"],
)
def test_no_other_head_is(line):
    assert not asks_spdy(HEAD % line)


@pytest.mark.parametrize(
    ("connection", "upgrade", "expected"),
    [
        ("Upgrade", "SPDY/3.1", Upgrade.SPDY),
        ("keep-alive, Upgrade", "websocket", Upgrade.WEBSOCKET),
    ],
)
def test_the_two_upgrades(connection, upgrade, expected):
    assert upgrade_of(CIMultiDict(Connection=connection, Upgrade=upgrade)) is expected


@pytest.mark.parametrize("headers", [{}, {"Upgrade": "SPDY/3.1"}, {"Connection": "Upgrade"}])
def test_no_upgrade_is_refused_as_one_that_is_required(headers):
    with pytest.raises(ApiError, match="Upgrade request required") as refused:
        upgrade_of(CIMultiDict(headers))
    assert refused.value.code == 400


def test_the_first_protocol_of_the_clients_that_is_spoken_is_taken():
    offered = ["v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io"]
    assert spdy_protocol(offered, SPDY_COMMAND_PROTOCOLS) == "v4.channel.k8s.io"
    joined = [", ".join(offered)]
    assert websocket_protocol(joined, WEBSOCKET_COMMAND_PROTOCOLS) == "v5.channel.k8s.io"


def test_a_websocket_may_name_no_protocol_and_spdy_may_not():
    assert websocket_protocol([], WEBSOCKET_COMMAND_PROTOCOLS) == ""
    with pytest.raises(ApiError, match="X-Stream-Protocol-Version is required"):
        spdy_protocol([], SPDY_COMMAND_PROTOCOLS)


def test_when_nothing_is_spoken_by_both_that_is_forbidden():
    with pytest.raises(ApiError, match=r"client supports \[v9\], server accepts \[v4") as refused:
        spdy_protocol(["v9"], SPDY_COMMAND_PROTOCOLS)
    assert refused.value.code == 403


def test_streams_are_named_by_the_query_and_a_terminal_has_no_standard_error():
    query = {"stdin": "true", "stdout": "True", "stderr": "1", "tty": "true"}
    assert command_streams(query) == CommandStreams(stdin=True, stdout=True, stderr=False, tty=True)
    assert command_streams({"stderr": "", "stdin": "False"}) == CommandStreams(
        stdin=False, stdout=False, stderr=True, tty=False
    )


def test_a_command_without_any_stream_is_refused():
    with pytest.raises(ApiError, match="at least 1 of stdin, stdout, stderr"):
        command_streams({"stdin": "false"})


def test_ports_may_stand_apart_or_together():
    assert ports_of(["80", "443, 8080"]) == (80, 443, 8080)


@pytest.mark.parametrize(
    "values", [[], ["0"], ["65536"], ["http"], ["-1"], ["٣"], ["80"] * (PORTS_MAX + 1)]
)
def test_what_is_no_port_or_too_many_is_a_bad_request(values):
    with pytest.raises(ApiError) as refused:
        ports_of(values)
    assert refused.value.code == 400


@given(st.text(max_size=12))
def test_any_text_is_a_port_or_a_bad_request(text):
    try:
        assert 0 < port_of(text) <= 65535
    except ApiError as refused:
        assert refused.code == 400
