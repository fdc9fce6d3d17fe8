"""CertificateSigningRequests: what somebody asks for stays what he asked for.

Pure: documents in, documents out. Nobody signs here: said with each request that is written.
"""

from collections.abc import Iterator

from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation.names import path_segment_faults
from control.resources.validation.signing_requests import signing_request_causes


def _asked(new: Document, old: Document) -> Document:
    return {**new, "spec": old.get("spec") or {}}


def _warnings(request: Document) -> Iterator[str]:
    yield "spec.signerName: kubehop signs no certificates: approved or not, none is issued"


SIGNING_REQUEST = Strategy(
    name_faults=path_segment_faults,
    updated=_asked,
    causes=signing_request_causes,
    warnings=_warnings,
)
