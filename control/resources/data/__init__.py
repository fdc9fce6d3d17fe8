"""What the API server knows of Kubernetes as data; made by `control.resources.data.generator`.

    kinds.json          the kinds that are served, with what discovery says of them
    schema.json.z       their definitions without descriptions: what documents are walked by
    protobuf.json.z     the messages of the protobuf encoding: field numbers, names, kinds
    openapi-v3.json.z   the index: path -> hash of its document
    openapi-v3/*.json.z one OpenAPI v3 document a group version
    openapi-v2.pb.z     all definitions as Swagger in gnostic's protobuf encoding
    digests.json        SHA-256 of each of the above, uncompressed

`.z` is zlib. Each is read when it is first asked for.
"""

import zlib
from pathlib import Path

FOLDER = Path(__file__).parent


def read_data(name: str) -> bytes:
    """A file of this folder, uncompressed."""
    plain = FOLDER / name
    if plain.suffix == ".json" and plain.exists():
        return plain.read_bytes()
    return zlib.decompress((FOLDER / f"{name}.z").read_bytes())
