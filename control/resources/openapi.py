"""The OpenAPI documents that the API server publishes, made ahead of time and read when asked for.

Pure: data. A v3 document's address carries its hash, so clients may keep it for good; kubectl does,
on disk. Of built-in kinds nothing is kept: each document is asked for once by each client. Those of
custom kinds are made when they are asked for, anew after each change of the catalogue.
Source: kubernetes.io, "OpenAPI V3"; k8s.io/kube-openapi/pkg/handler3.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from control.resources.catalogue import Catalogue
from control.resources.data import read_data

if TYPE_CHECKING:
    from control.resources.custom.publication import Publication

V3_ROOT = "/openapi/v3"
# The answer's type. Clients ask with an @, which Go's own parser of types does not take back.
V2_MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
V2_ASKED_FOR = frozenset({V2_MEDIA_TYPE, V2_MEDIA_TYPE.replace("v2.v1", "v2@v1")})


class OpenApi:
    """The documents of all kinds that are served now."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._made: tuple[int, Publication] | None = None

    def v3_index(self) -> dict[str, Any]:
        """Where each group version's document is, at its present hash."""
        paths = [*_hashes(), *(each for each in self._custom_hashes() if each not in _hashes())]
        return {"paths": {path: {"serverRelativeURL": self.v3_address(path)} for path in paths}}

    def v3_address(self, path: str) -> str:
        """The address of the document of `api/v1` or `apis/apps/v1`."""
        return f"{V3_ROOT}/{path}?hash={self.v3_hash(path)}"

    def v3_hash(self, path: str) -> str | None:
        """The hash of a document; None if there is none for this path."""
        return _hashes().get(path) or self._custom_hashes().get(path)

    def v3_document(self, path: str) -> bytes | None:
        """The document of `api/v1` or `apis/apps/v1`, as JSON; None if that is not served."""
        if path in _hashes():
            return read_data(f"openapi-v3/{path.replace('/', '_')}.json")
        publication = self._publication()
        return None if publication is None else publication.documents.get(path)

    def v2_protobuf(self) -> bytes:
        """All definitions, as Swagger in gnostic's protobuf encoding."""
        publication, built_in = self._publication(), read_data("openapi-v2.pb")
        return built_in if publication is None else built_in + publication.v2

    def v2_hash(self) -> str:
        """Changes when the document does."""
        publication = self._publication()
        if publication is None:
            return _v2_hash()
        from control.resources.custom.publication import digest

        return digest(_v2_hash().encode() + publication.v2)

    def _custom_hashes(self) -> Mapping[str, str]:
        publication = self._publication()
        return {} if publication is None else publication.hashes

    def _publication(self) -> "Publication | None":
        """The documents of custom kinds, where there are any."""
        if not self._catalogue.custom:
            self._made = None
            return None
        generation = self._catalogue.generation
        if self._made is None or self._made[0] != generation:
            from control.resources.custom.publication import BORROWED, Publication

            borrowed = read_data(f"openapi-v3/{BORROWED.replace('/', '_')}.json")
            self._made = generation, Publication(self._catalogue.custom, borrowed)
        return self._made[1]


@cache
def _v2_hash() -> str:
    return str(orjson.loads(read_data("digests.json"))["openapi-v2.pb"])


@cache
def _hashes() -> Mapping[str, str]:
    found: dict[str, str] = orjson.loads(read_data("openapi-v3.json"))
    return found
