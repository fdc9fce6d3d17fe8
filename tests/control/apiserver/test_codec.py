"""Media types: what clients ask for, and bodies they send."""

import orjson
import pytest

from cluster.errors import ApiError
from control.apiserver.codec import (
    DEPTH_MAX,
    Accepted,
    Form,
    decode_body,
    decode_object,
    encode,
    negotiate,
)
from tests.control.resources.protobuf.encoding import envelope

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("", Accepted()),
        ("*/*", Accepted()),
        ("application/json", Accepted()),
        ("application/yaml", Accepted(yaml=True)),
        (f"{TABLE},application/json", Accepted(Form.TABLE)),
        (
            "application/json;as=Table;g=meta.k8s.io;v=v1beta1",
            Accepted(Form.TABLE, False, "v1beta1"),
        ),
        ("application/vnd.kubernetes.protobuf,application/json", Accepted()),
        (
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Accepted(Form.METADATA),
        ),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Accepted()),
        ("application/json;as=Nonsense;v=v1;g=meta.k8s.io, */*", Accepted()),
    ],
)
def test_the_first_type_that_can_be_made_wins(accept: str, accepted: Accepted) -> None:
    assert negotiate(accept) == accepted


def test_a_type_that_cannot_be_made_is_406() -> None:
    with pytest.raises(ApiError) as caught:
        negotiate("application/vnd.kubernetes.protobuf")
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")


def test_apply_patches_are_called_yaml_and_may_be_json() -> None:
    assert decode_body("application/apply-patch+yaml", b'{"a": 1}') == {"a": 1}
    assert decode_body("application/apply-patch+yaml", b"a: 1\nb: [x]") == {"a": 1, "b": ["x"]}


def test_a_body_without_a_type_is_json() -> None:
    assert decode_body("", b"[1]") == [1]
    assert decode_body("application/json; charset=utf-8", b"[1]") == [1]


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"", 400),
        ("application/json", b'{"a": NaN}', 400),
        ("application/yaml", b"a: [", 400),
        ("application/yaml", b"a: &x [*x]", 400),
        ("application/vnd.kubernetes.protobuf", b"k8s\0", 400),
        ("text/plain", b"a", 415),
    ],
)
def test_what_cannot_be_read_is_the_clients_fault(
    content_type: str, body: bytes, code: int
) -> None:
    with pytest.raises(ApiError) as caught:
        decode_body(content_type, body)
    assert caught.value.code == code


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b'{"metadata": []}'])
def test_an_object_is_asked_for(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        decode_object("application/json", body)
    assert caught.value.code == 400


def test_a_body_may_not_nest_without_end() -> None:
    deep = b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1)
    with pytest.raises(ApiError, match=f"deeper than {DEPTH_MAX} levels"):
        decode_body("application/json", deep)
    assert decode_body("application/json", b"[" * 100 + b"]" * 100)
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "data": orjson.loads(deep)}
    with pytest.raises(ApiError, match=f"deeper than {DEPTH_MAX} levels"):
        decode_body("application/vnd.kubernetes.protobuf", envelope(revision))


def test_yaml_is_written_in_the_documents_order() -> None:
    assert encode({"b": 1, "a": [2]}, Accepted(yaml=True)) == b"b: 1\na:\n- 2\n"
