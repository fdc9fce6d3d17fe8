"""Fields of a message, and bytes that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.resources.protobuf.wire import Malformed, fields, signed, varints
from tests.control.resources.protobuf.encoding import length, varint


def test_a_message_is_numbers_and_values() -> None:
    data = b"\x08\x96\x01" + length(2, b"testing") + b"\x1d1234" + b"\x2112345678"
    assert list(fields(data)) == [(1, 150), (2, b"testing"), (3, b"1234"), (4, b"12345678")]
    assert list(fields(b"")) == []
    assert list(varints(b"\x03\x8e\x02")) == [3, 270]


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    ((_, read),) = fields(b"\x08" + varint(value))
    assert isinstance(read, int) and signed(read) == value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x08", "a number has no end"),
        (b"\x08" + b"\xff" * 11, "a number has no end"),
        (b"\x0a\x05ab", "a field of 5 bytes has 2"),
        (b"\x0a\xff\xff\xff\xff\x0f", "a field of 4294967295 bytes has 0"),
        (b"\x0d123", "a field of 4 bytes has 3"),
        (b"\x0b", "field 1 has the wire type 3"),
        (b"\x00\x00", "a field has the number 0"),
    ],
)
def test_what_is_no_message_is_said_to_be_none(data: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        list(fields(data))
