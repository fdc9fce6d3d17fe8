"""SPDY frames: any split of the bytes gives the same frames, and bad bytes a WireError."""

import contextlib
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from control.apiserver.streams.spdy_frames import (
    CONTROL_BYTES_MAX,
    Data,
    FrameReader,
    FrameWriter,
    GoAway,
    Ping,
    RstStream,
    SynReply,
    SynStream,
)

numbers = st.integers(0, 2**31 - 1)
headers = st.dictionaries(st.sampled_from(["streamtype", "port", "requestid"]), st.just("8080"))
frames = st.one_of(
    st.builds(SynStream, numbers, headers, st.booleans()),
    st.builds(SynReply, numbers, headers, st.booleans()),
    st.builds(Data, numbers, st.binary(max_size=100), st.booleans()),
    st.builds(RstStream, numbers, numbers),
    st.builds(Ping, numbers),
    st.builds(GoAway, numbers, numbers),
)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def joined(received: list[object]) -> list[object]:
    """Data in parts as if it had come at once."""
    whole: list[object] = []
    for frame in received:
        last = whole[-1] if whole else None
        follows = isinstance(frame, Data) and isinstance(last, Data) and not last.fin
        if follows and last.stream == frame.stream:
            whole[-1] = Data(frame.stream, last.data + frame.data, frame.fin)
            continue
        whole.append(frame)
    return whole


@given(st.lists(frames, max_size=8), st.lists(st.integers(0, 4000), max_size=10))
def test_frames_come_out_as_they_went_in_however_the_bytes_are_split(sent, cuts):
    writer, reader = FrameWriter(), FrameReader()
    data = b"".join(map(writer.write, sent))
    received = [frame for part in split(data, cuts) for frame in reader.feed(part)]
    assert joined(received) == joined(sent)


def test_bytes_of_a_long_data_frame_are_passed_on_as_they_come():
    reader = FrameReader()
    head = struct.pack(">II", 5, 0x01 << 24 | 10_000_000)
    assert list(reader.feed(head + b"abc")) == [Data(5, b"abc")]
    assert list(reader.feed(b"def")) == [Data(5, b"def")]
    rest = list(reader.feed(bytes(10_000_000 - 6)))
    assert [each.fin for each in rest] == [True]


def control(kind: int, body: bytes = b"", version: int = 3) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, len(body)) + body


@pytest.mark.parametrize("kind", [4, 9, 10])
def test_settings_and_windows_mean_nothing_here(kind):
    assert list(FrameReader().feed(control(kind, bytes(8)) + control(6, bytes(4)))) == [Ping(0)]


def test_headers_are_read_since_later_blocks_refer_to_them():
    writer, reader = FrameWriter(), FrameReader()
    first = writer.write(SynStream(1, {"streamtype": "error"}))
    more = bytearray(writer.write(SynReply(1, {"port": "80"})))
    more[3] = 8  # HEADERS has SYN_REPLY's form
    third = writer.write(SynStream(3, {"port": "80"}))
    received = list(reader.feed(first + bytes(more) + third))
    assert received == [SynStream(1, {"streamtype": "error"}), SynStream(3, {"port": "80"})]


@pytest.mark.parametrize(
    "data",
    [
        control(1, bytes(20), version=2),
        control(5),
        control(77),
        control(3, bytes(4)),
        control(6, bytes(3)),
        control(1, bytes(4)),
        struct.pack(">HHI", 0x8003, 1, CONTROL_BYTES_MAX + 1),
    ],
)
def test_what_is_no_frame_is_a_wire_error(data):
    with pytest.raises(WireError):
        list(FrameReader().feed(data))


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_bad_bytes_give_frames_or_a_wire_error_and_nothing_else(parts):
    reader = FrameReader()
    try:
        for part in parts:
            list(reader.feed(part))
    except WireError:
        pass


@given(st.integers(0, 20), st.integers(0, 255), st.binary(max_size=100))
def test_bad_control_frames_too(kind, flags, body):
    data = struct.pack(">HHI", 0x8003, kind, flags << 24 | len(body)) + body
    with contextlib.suppress(WireError):
        list(FrameReader().feed(data))
