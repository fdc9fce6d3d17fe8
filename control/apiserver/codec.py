"""Bodies in, bodies out: media types as clients name them.

Pure: no I/O. A client's Accept list is taken in its order, the first that can be made wins; none,
empty and `*/*` mean JSON.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import orjson

from cluster.dataclass import dataclass
from control.apiserver import statuses

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
READABLE = (JSON, YAML, PROTOBUF)
WRITABLE = (JSON, YAML)
YAML_BYTES_MAX = 512 * 1024  # it is read slowly, and nobody else is served meanwhile
DEPTH_MAX = 200  # how deep a body may nest; orjson itself ends at 1024


class Form(StrEnum):
    """What an answer shows of its objects."""

    OBJECT = "object"
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client is to be sent."""

    form: Form = Form.OBJECT
    yaml: bool = False
    version: str = "v1"  # of meta.k8s.io, for tables and metadata

    @property
    def content_type(self) -> str:
        """As the answer names itself."""
        return YAML if self.yaml else JSON


def negotiate(accept: str) -> Accepted:
    """The first acceptable type that can be made; ApiError 406 when there is none."""
    if not accept.strip():
        return Accepted()
    for media_type, parameters in media_types(accept):
        if media_type not in (JSON, YAML, "application/*", "*/*"):
            continue
        wanted = parameters.get("as", "")
        if not wanted:
            return Accepted(yaml=media_type == YAML)
        if parameters.get("g") != "meta.k8s.io" or parameters.get("v") not in ("v1", "v1beta1"):
            continue
        form = wanted.removesuffix("List")
        if form in (Form.TABLE, Form.METADATA):
            return Accepted(Form(form), media_type == YAML, parameters["v"])
    raise statuses.not_acceptable(WRITABLE)


def media_types(accept: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The types of an Accept header with their parameters, in order."""
    for part in accept.split(","):
        media_type, *given = (piece.strip() for piece in part.split(";"))
        pairs = (each.partition("=") for each in given)
        yield media_type.lower(), {key.strip(): value.strip() for key, _, value in pairs}


def decode_body(content_type: str, body: bytes) -> Any:
    """A request's body as a tree; ApiError 400 or 415 says what is wrong with it."""
    media_type = content_type.partition(";")[0].strip().lower() or JSON
    if media_type == YAML or media_type.endswith("+yaml"):
        return _yaml(body)
    if media_type == JSON or media_type.endswith("+json"):
        return _json(body)
    if media_type == PROTOBUF:
        return _protobuf(body)
    raise statuses.unsupported_media(content_type, READABLE)


def decode_object(content_type: str, body: bytes) -> dict[str, Any]:
    """A body that has to be one object."""
    document = decode_body(content_type, body)
    if not isinstance(document, dict):
        raise statuses.bad_request("the request body is not an object: send one JSON object")
    metadata = document.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise statuses.bad_request("metadata is not an object")
    return document


def encode(document: Any, accepted: Accepted) -> bytes:
    """A document as the client wants it."""
    if not accepted.yaml:
        return orjson.dumps(document)
    import yaml

    return yaml.safe_dump(document, sort_keys=False).encode()


def _json(body: bytes) -> Any:
    try:
        return _shallow(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise statuses.bad_request(f"the request body is not JSON: {error}") from error


def _protobuf(body: bytes) -> Any:
    from control.resources.protobuf.decode import decode_envelope
    from control.resources.protobuf.wire import Malformed

    try:
        return _shallow(decode_envelope(body))  # a part may be JSON, which nests as it likes
    except Malformed as error:
        raise statuses.bad_request(f"the request body is not protobuf: {error}") from error


def _yaml(body: bytes) -> Any:
    try:  # apply patches are called YAML, and are JSON
        return _shallow(orjson.loads(body))
    except orjson.JSONDecodeError:
        pass
    if len(body) > YAML_BYTES_MAX:
        raise statuses.too_large(YAML_BYTES_MAX, "as YAML; send JSON")
    from control.apiserver.yaml_documents import load

    try:
        tree = orjson.dumps(load(body))
    except (ValueError, TypeError) as error:
        raise statuses.bad_request(f"the request body is not YAML: {error}") from error
    return _shallow(orjson.loads(tree))


def _shallow(tree: Any) -> Any:
    """The tree, if it does not nest too deep for a recursive walk."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise statuses.bad_request(f"the request body nests deeper than {DEPTH_MAX} levels")
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
    return tree
