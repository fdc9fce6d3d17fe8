"""Names on the wire and as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import WireError
from cluster.wire.dns_names import NameWriter, decode_name, label_bytes, label_text, labels_of

label = st.binary(min_size=1, max_size=63)


def written(*names: str) -> bytes:
    out = bytearray()
    writer = NameWriter(out)
    for name in names:
        writer.write(name)
    return bytes(out)


def test_a_name_is_its_labels_each_behind_its_length() -> None:
    assert written("web.ns") == b"\x03web\x02ns\x00"
    assert decode_name(b"\x03web\x02ns\x00rest", 0) == ("web.ns", 8)


def test_the_root_has_no_text() -> None:
    assert written("") == b"\0"
    assert decode_name(b"\0", 0) == ("", 1)


def test_a_second_name_points_to_the_end_it_shares() -> None:
    """D-97: compression."""
    both = written("a.svc.cluster.local", "b.svc.cluster.local", "svc.cluster.local")
    assert both == b"\x01a\x03svc\x07cluster\x05local\x00" + b"\x01b\xc0\x02" + b"\xc0\x02"
    assert decode_name(both, 21) == ("b.svc.cluster.local", 25)
    assert decode_name(both, 25) == ("svc.cluster.local", 27)


def test_compression_keeps_the_spelling_of_each_name() -> None:
    """D-100: 0x20 case."""
    both = written("WeB.Ns", "web.ns")
    assert decode_name(both, 0)[0] == "WeB.Ns"
    assert decode_name(both, 8)[0] == "web.ns"


def test_a_name_that_may_not_be_compressed_is_written_whole() -> None:
    out = bytearray()
    writer = NameWriter(out)
    writer.write("a.local")
    writer.write("b.local", compress=False)
    assert bytes(out) == b"\x01a\x05local\x00\x01b\x05local\x00"


def test_no_pointer_leads_beyond_what_fourteen_bits_can_say() -> None:
    out = bytearray(0x4000)
    writer = NameWriter(out)
    writer.write("far.local")
    writer.write("far.local")
    assert bytes(out[0x4000:]) == b"\x03far\x05local\x00" * 2


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"a.b", r"a\.b"), (b"\\", r"\\"), (b"\x00 \xff", r"\000\032\255"), (b"_http", "_http")],
)
def test_odd_bytes_of_a_label_are_escaped_and_come_back(raw: bytes, text: str) -> None:
    assert label_text(raw) == text
    assert label_bytes(text) == raw
    assert labels_of(f"{text}.ns") == [text, "ns"]


@given(st.lists(label, max_size=3))
def test_any_labels_survive_the_way_through_text(labels: list[bytes]) -> None:
    name = ".".join(map(label_text, labels))
    assert [label_bytes(each) for each in labels_of(name)] == labels
    assert decode_name(written(name), 0)[0] == name


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x03we",  # cut off in a label
        b"\x03web",  # no end
        b"\xc0",  # half a pointer
        b"\xc0\x00",  # to itself
        b"\x01a\xc0\x00",  # a loop
        b"\xc0\x05\x00\x00\x00\x00",  # forwards
        b"\x40a\x00",  # a reserved length
    ],
)
def test_a_broken_name_is_the_peers_fault(raw: bytes) -> None:
    with pytest.raises(WireError):
        decode_name(raw, 0)


def test_pointers_only_lead_backwards_so_that_no_chain_is_endless() -> None:
    data = b"\x01a\x00" + b"\xc0\x00" + b"\xc0\x03" + b"\xc0\x05"
    assert decode_name(data, 7) == ("a", 9)
    with pytest.raises(WireError, match="backwards"):
        decode_name(b"\xc0\x02\xc0\x00", 2)


def test_a_name_has_255_bytes_at_most() -> None:
    """D-133."""
    longest = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert len(written(longest)) == 255
    assert decode_name(written(longest), 0)[0] == longest
    with pytest.raises(WireError, match="255"):
        written(longest + "a")
    too_long = b"".join(b"\x3f" + b"a" * 63 for _ in range(4)) + b"\0"
    with pytest.raises(WireError, match="255"):
        decode_name(too_long, 0)


@pytest.mark.parametrize("name", ["a..b", ".a", "a.", "a" * 64, "a\\", "\\999", "ß" * 64, "€"])
def test_a_name_that_cannot_be_written_says_so(name: str) -> None:
    with pytest.raises(WireError):
        written(name)
