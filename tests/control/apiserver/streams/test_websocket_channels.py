"""Channels in WebSocket messages, binary and base64."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.channels import Channel
from control.apiserver.streams.negotiation import BASE64, V4, V5
from control.apiserver.streams.websocket_channels import inbound, pack, unpack

protocols = st.sampled_from([V5, V4, "channel.k8s.io", "", *BASE64])


@given(protocols, st.integers(0, 9), st.binary(max_size=100))
def test_what_is_packed_is_unpacked(protocol, channel, data):
    assert unpack(protocol, pack(protocol, channel, data)) == (channel, data, False)


def test_base64_messages_are_text_that_begins_with_a_digit():
    assert pack(BASE64[0], 1, b"hi") == "1aGk="


def test_messages_may_say_that_they_are_the_other_kind():
    """Python's client sends a str as text."""
    assert unpack(V5, "\0ü") == (0, "ü".encode(), False)
    assert unpack(BASE64[0], b"1aGk=") == (1, b"hi", False)


def test_v5_ends_a_channel_and_v4_does_not():
    assert unpack(V5, b"\xff\x00") == (0, b"", True)
    assert unpack(V4, b"\xff\x00") == (255, b"\x00", False)


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (V5, b""),
        (V5, b"\xff"),
        (V5, b"\xff\x00\x00"),
        (V4, ""),
        (BASE64[0], b"0aG"),
        (BASE64[0], ""),
        (BASE64[0], "0!"),
        (BASE64[0], "0é"),
    ],
)
def test_what_is_no_message_is_a_wire_error(protocol, message):
    with pytest.raises(WireError):
        unpack(protocol, message)


@given(protocols, st.one_of(st.binary(max_size=50), st.text(max_size=50)))
def test_any_message_is_unpacked_or_a_wire_error(protocol, message):
    with contextlib.suppress(WireError):
        unpack(protocol, message)


def test_a_client_may_write_to_input_and_size_alone():
    assert [inbound(each) for each in (0, 1, 2, 3, 4, 255, -3)] == [
        Channel.STDIN,
        None,
        None,
        None,
        Channel.RESIZE,
        None,
        None,
    ]
