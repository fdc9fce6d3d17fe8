"""Channel frames: any split of the bytes gives the same frames, and nothing else passes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.channels import (
    BEGIN,
    PAYLOAD_BYTES_MAX,
    Channel,
    ChannelFrame,
    ChannelReader,
    encode,
)

frames = st.one_of(
    st.builds(ChannelFrame, st.sampled_from(Channel), st.binary(max_size=300)),
    st.builds(ChannelFrame, st.sampled_from(Channel), st.just(b""), st.just(True)),
)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


@given(st.lists(frames, max_size=8), st.lists(st.integers(0, 4000), max_size=12))
def test_frames_come_out_as_they_went_in_however_the_bytes_are_split(sent, cuts):
    reader = ChannelReader()
    data = b"".join(map(encode, sent))
    received = [frame for part in split(data, cuts) for frame in reader.feed(part)]
    assert received == sent


def test_long_data_goes_in_several_frames():
    data = bytes(PAYLOAD_BYTES_MAX) + b"rest"
    frame = ChannelFrame(Channel.STDOUT, data)
    received = list(ChannelReader().feed(encode(frame)))
    assert [len(each.data) for each in received] == [PAYLOAD_BYTES_MAX, 4]
    assert b"".join(each.data for each in received) == data


def test_the_end_of_a_channel_may_come_with_its_last_data():
    received = list(ChannelReader().feed(encode(ChannelFrame(Channel.STDIN, b"x", end=True))))
    assert received == [
        ChannelFrame(Channel.STDIN, b"x"),
        ChannelFrame(Channel.STDIN, end=True),
    ]


def test_the_beginning_is_an_empty_frame():
    assert list(ChannelReader().feed(encode(BEGIN))) == [BEGIN]


@pytest.mark.parametrize(
    "head", [b"\x05\0\0\0\0\0", b"\0\x02\0\0\0\0", b"\0\0\0\x01\0\x01", b"GET / HTTP/1.1\r\n"]
)
def test_anything_else_is_a_wire_error(head):
    with pytest.raises(WireError):
        list(ChannelReader().feed(head))


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_bad_bytes_give_frames_or_a_wire_error_and_nothing_else(parts):
    reader = ChannelReader()
    try:
        for part in parts:
            for frame in reader.feed(part):
                assert len(frame.data) <= PAYLOAD_BYTES_MAX
    except WireError:
        pass
