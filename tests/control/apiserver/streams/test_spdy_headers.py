"""Header blocks of SPDY/3: the fixed dictionary, one context for a connection, bounds."""

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from control.apiserver.streams.spdy_headers import (
    BLOCK_BYTES_MAX,
    DICTIONARY,
    PAIRS_MAX,
    HeaderReader,
    HeaderWriter,
)

names = st.text("abcdefghijklmnopqrstuvwxyz-:", min_size=1, max_size=20)
values = st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=40)


def packed(plain: bytes) -> bytes:
    packer = zlib.compressobj(zdict=DICTIONARY)
    return packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH)


def test_the_dictionary_is_the_protocols():
    """Every SPDY/3 stream begins with its check sum, as zlib writes it (RFC 1950, DICTID)."""
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2
    assert HeaderWriter().pack({})[:6] == bytes.fromhex("78bbe3c6a7c2")


@given(st.lists(st.dictionaries(names, values, max_size=6), max_size=5))
def test_blocks_come_out_as_they_went_in_one_after_the_other(blocks):
    writer, reader = HeaderWriter(), HeaderReader()
    assert [reader.unpack(writer.pack(each)) for each in blocks] == blocks


def test_names_are_of_any_case_and_the_first_value_counts():
    plain = struct.pack(">I", 1) + b"\0\0\0\x04PORT" + b"\0\0\0\x05" + b"80\x0081"
    assert HeaderReader().unpack(packed(plain)) == {"port": "80"}


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\0\0",
        struct.pack(">I", 1),
        struct.pack(">I", PAIRS_MAX + 1),
        struct.pack(">II", 1, 0xFFFFFFFF) + b"x",
        struct.pack(">II", 1, 1) + b"x" + struct.pack(">I", 2) + b"y",
    ],
)
def test_a_block_that_ends_too_soon_or_counts_too_high_is_a_wire_error(plain):
    with pytest.raises(WireError):
        HeaderReader().unpack(packed(plain))


def test_a_block_that_unpacks_to_very_much_is_not_unpacked_further():
    with pytest.raises(WireError, match=str(BLOCK_BYTES_MAX)):
        HeaderReader().unpack(packed(bytes(100 * BLOCK_BYTES_MAX)))


@given(st.binary(max_size=300))
def test_bad_bytes_are_a_wire_error_and_nothing_else(block):
    with contextlib.suppress(WireError):
        HeaderReader().unpack(block)


@given(st.binary(max_size=200))
def test_bad_headers_are_a_wire_error_and_nothing_else(plain):
    with contextlib.suppress(WireError):
        HeaderReader().unpack(packed(plain))
