"""YAML bodies: what they say, and how large they may say it is."""

import tracemalloc

import pytest

from cluster.errors import ApiError
from control.apiserver.codec import DEPTH_MAX, YAML, YAML_BYTES_MAX, decode_body, decode_object
from control.apiserver.yaml_documents import SIZE_MAX, load


def test_a_manifest_is_a_tree() -> None:
    text = b"metadata:\n  name: one\n  labels: {app: cart}\ndata: {a: '1', b: |\n    two\n}\n"
    assert load(b"a: [1, 2.5, true, null, text]") == {"a": [1, 2.5, True, None, "text"]}
    assert load(b"") is None
    with pytest.raises(ValueError, match="line"):
        load(text)


def test_aliases_and_merges_are_written_out() -> None:
    text = b"base: &base {a: 1}\nmore: {<<: *base, b: 2}\nagain: *base\n"
    tree = load(text)
    assert tree == {"base": {"a": 1}, "more": {"a": 1, "b": 2}, "again": {"a": 1}}


def laughs(levels: int, line: bytes) -> bytes:
    """Each level names the last one nine times."""
    names = [b"n%d" % number for number in range(levels)]
    pairs = zip(names[1:], names, strict=False)
    return b"n0: &n0 {a: xxxxxxxxx}\n" + b"".join(
        line % (name, name, b",".join([b"*" + last] * 9)) for name, last in pairs
    )


@pytest.mark.parametrize("line", [b"%b: &%b [%b]\n", b"%b: &%b {<<: [%b]}\n"])
def test_aliases_of_aliases_of_aliases_are_refused_before_they_are_made(line: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ApiError, match="its aliases stand for more than") as caught:
            decode_object(YAML, laughs(30, line))
        assert tracemalloc.get_traced_memory()[1] < SIZE_MAX
    finally:
        tracemalloc.stop()
    assert caught.value.code == 400
    assert decode_object(YAML, laughs(3, line))["n1"]


def test_a_long_text_that_is_named_often_is_refused_too() -> None:
    body = b"a: &a " + b"x" * 100_000 + b"\nb: [" + b"*a," * 1_000 + b"]\n"
    with pytest.raises(ValueError, match="its aliases stand for more than"):
        load(body)


@pytest.mark.parametrize("body", [b"&a [*a]", b"a: &a {b: *a}", b"&a {? *a : 1}"])
def test_what_holds_itself_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        decode_body(YAML, body)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe\xff",
        b"a: !!python/object:os.system {}",
        b"? [a]\n: b",
        b"1: b",
        b"a: !!binary YQ==",
        b"a: 99999999999999999999999",
        b"a: 1\n---\nb: 2\n",
        b"a: *nothing",
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1) + b" # no JSON",
        b"- " * 100_000,
    ],
    ids=range(11),
)
def test_what_json_cannot_say_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        decode_object(YAML, body)
    assert caught.value.code == 400


def test_yaml_is_shorter_than_json_may_be() -> None:
    text = b"data: {a: " + b"x" * YAML_BYTES_MAX + b"}"
    with pytest.raises(ApiError, match="send JSON") as caught:
        decode_object(YAML, text)
    assert (caught.value.code, caught.value.reason) == (413, "RequestEntityTooLarge")
    json = b'{"data":{"a":"' + b"x" * YAML_BYTES_MAX + b'"}}'
    assert decode_object("application/apply-patch+yaml", json)["data"]
