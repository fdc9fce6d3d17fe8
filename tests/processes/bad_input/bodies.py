"""Bodies that somebody might send and nobody should."""

import json
from typing import Any

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
MEDIA_TYPES = (JSON, YAML, PROTOBUF, *PATCHES, "text/html", "nonsense", "")
BODY_BYTES_MAX = 3 * 1024 * 1024

MAP = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad-input"},"data":{"a":"b"}}'
MAP_YAML = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad-input}\ndata: {a: b}\n"
# k8s, then an Unknown: its type (v1, ConfigMap), and a ConfigMap whose metadata is a name.
MAP_PROTOBUF = b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x0d\n\x0b\n\tbad-input"
VALID = {JSON: MAP, YAML: MAP_YAML, PROTOBUF: MAP_PROTOBUF}


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + closing * depth


SMALL: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" \r\n\t",
    "a document": MAP,
    "a document in YAML": MAP_YAML,
    "a document in protobuf": MAP_PROTOBUF,
    **{f"the first {size} bytes of it": MAP[:size] for size in (1, 20, 60, len(MAP) - 1)},
    **{f"of its protobuf {size}": MAP_PROTOBUF[:size] for size in (3, 4, 5, 9, 24, 30)},
    "a document and more": MAP + b"{}",
    "null": b"null",
    "a number": b"1e400",
    "not a number": b"NaN",
    "a string": b'"text"',
    "a list": b"[1, null, {}]",
    "keys that are there twice": b'{"metadata":{"name":"a","name":"b"},"data":{},"data":{"a":"b"}}',
    "keys of YAML twice": b"metadata: {name: a, name: b}\nmetadata: {}\n",
    "keys that are none": b'{"":{"":{}}, "a\\u0000b": 1, "__proto__": {}, "$patch": "x"}',
    "no text": b'{"metadata":{"name":"\xff\xfe"}}',
    "half a pair": b'{"metadata":{"name":"\\ud800"}}',
    "half a pair in YAML": b'metadata: {name: "\\ud800"}\n',
    "a byte order mark": b"\xef\xbb\xbf" + MAP,
    "UTF-16": MAP.decode().encode("utf-16"),
    "deep lists": nested(b"[", b"]", 100_000),
    "deep objects": nested(b'{"a":', b"}", 50_000).replace(b":}", b":1}"),
    "not quite too deep": nested(b"[", b"]", 900),
    "never closed": b"[" * 100_000,
    "deep YAML": b"a: " + nested(b"[", b"]", 3_000),
    "deep indents": b"".join(b" " * depth + b"a:\n" for depth in range(400)),
    "never closed YAML": b"{" * 3_000,
    "a bomb": b"a: &a [x]\n" + b"".join(b"b%d: &b%d [*a,*a,*a]\n" % (n, n) for n in range(50)),
    "an endless one": b"a: &a [*a]\n",
    "a tag": b"!!python/object/apply:os.system ['true']\n",
    "a tag of no kind": b"!<x> {a: !!binary '?', b: !!timestamp 99}\n",
    "two documents": MAP_YAML + b"---\n" + MAP_YAML,
    "a number of many digits": b'{"data":{"a":' + b"9" * 6_000 + b"}}",
    "a number of many digits in YAML": b"data: {a: 1" + b"0" * 6_000 + b"}\n",
    "a list of patches": b'[{"op":"add","path":"/data","value":{"a":"b"}}]',
    "a patch that is none": b'[{"op":"add"},{"path":"/"},5,null,{"op":"x","path":"y"}]',
    "a patch of the root": b'[{"op":"replace","path":"","value":[]}]',
    "a patch that copies": b'[{"op":"copy","from":"","path":"/data/a"}]',
    "a patch of an index": b'[{"op":"add","path":"/metadata/finalizers/99999999999999999999"}]',
    "a patch of managers": b'[{"op":"replace","path":"/metadata/managedFields","value":[5]}]',
    "directives": b'{"data":{"$patch":"replace"},"metadata":{"$retainKeys":5,"$patch":5}}',
    "orders": b'{"metadata":{"$setElementOrder/finalizers":{},"$deleteFromPrimitiveList/x":1}}',
    "managed fields": b'{"metadata":{"managedFields":[{"fieldsV1":{"f:x":{"k:{]":5}}}]}}',
    "the wrong shape": b'{"metadata":[],"data":"x","kind":5,"apiVersion":{}}',
    "metadata of the wrong shape": b'{"metadata":{"name":{},"labels":[],"ownerReferences":"x"}}',
    "a long string of wires": b"k8s\0" + b"\x0a\x80" * 4_000,
    "a wire that promises": b"k8s\0\x0a\xff\xff\xff\xff\x0f",
    "groups of wires": b"k8s\0" + b"\x0b" * 20_000,
    "wires in wires": b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x04\n\x02\n\xff",
    "a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


def _metadata(**fields: Any) -> bytes:
    return json.dumps({"metadata": {"name": "bad-input", **fields}}).encode()


LARGE: dict[str, bytes] = {
    "as long as may be": b" " * BODY_BYTES_MAX,
    "one byte too long": b" " * (BODY_BYTES_MAX + 1),
    "empty lists": b"[" + b"[]," * 300_000 + b"[]]",
    "many keys": json.dumps({"data": {f"k{each}": "" for each in range(50_000)}}).encode(),
    "many keys twice": b"{" + b'"a":1,' * 200_000 + b'"a":1}',
    "a long name": _metadata(name="x" * 1_000_000),
    "many labels": _metadata(labels={f"l{each}": "-" for each in range(50_000)}),
    "many owners": _metadata(ownerReferences=[{}] * 100_000),
    "many finalizers": _metadata(finalizers=["a/"] * 100_000),
    "many operations": json.dumps([{"op": "test", "path": "/", "value": 0}] * 50_000).encode(),
    "long YAML": b"data:\n" + b"  - {a: b}\n" * 15_000,
    "longer YAML": b"- a\n" * 400_000,
    "much protobuf": b"k8s\0" + b"\x12\x00" * 1_000_000,
    "zeros": bytes(1_000_000),
}

LONG_NUMBER = "9" * 5_000
CRUEL_PODS: dict[str, Any] = {
    "a quantity without end": {"resources": {"limits": {"cpu": "1e999999999"}}},
    "a quantity without beginning": {"resources": {"limits": {"cpu": "1e-999999999"}}},
    "a quantity of many digits": {"resources": {"requests": {"memory": LONG_NUMBER}}},
    "a fraction of many digits": {"resources": {"requests": {"memory": f"0.{LONG_NUMBER}Ei"}}},
    "a port of many digits": {"ports": [{"containerPort": 10**300}]},
    "a name of a port": {"livenessProbe": {"tcpSocket": {"port": LONG_NUMBER}}},
    "an image": {"image": "x" * 100_000},
    "a variable": {"env": [{"name": "$(" * 5_000, "value": "$(A)" * 50_000}]},
    "times": {"livenessProbe": {"periodSeconds": 2**70, "httpGet": {"port": -(2**70)}}},
}
