"""CertificateSigningRequests, and what is decided of them: what is refused.

Documents in, causes out. The request itself is read with `cryptography`, imported when there is
one. Source: Kubernetes' pkg/apis/certificates/validation.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from control.resources.causes import Cause
from control.resources.validation.names import label_faults, subdomain_faults
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)

if TYPE_CHECKING:
    from cryptography import x509

Document = Mapping[str, Any]
APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
DECISIONS = (APPROVED, DENIED)
SECONDS_MIN = 600
REQUEST_BYTES_MAX = 64 << 10
CONDITIONS = "status.conditions"
USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)


def signing_request_causes(request: Document) -> Iterator[Cause]:
    """What is wrong with a request."""
    spec = request.get("spec") or {}
    if parsed_request(spec) is None:
        words = "PEM block type must be CERTIFICATE REQUEST"
        yield invalid("spec.request", spec.get("request") or "", words)
    yield from _usage_causes(spec.get("usages") or [])
    yield from _signer_causes(spec.get("signerName") or "")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SECONDS_MIN:
        words = f"may not specify a duration less than {SECONDS_MIN} seconds"
        yield invalid("spec.expirationSeconds", seconds, words)


def decision_causes(new: list[Document], old: list[Document]) -> Iterator[Cause]:
    """What is wrong with conditions that take the place of others: a decision is for good."""
    types = [each.get("type") or "" for each in new]
    for index, condition in enumerate(new):
        place = f"{CONDITIONS}[{index}]"
        kind, status = types[index], condition.get("status") or ""
        if not kind:
            yield required(f"{place}.type")
        if kind in types[:index]:
            yield duplicate(f"{place}.type", kind)
        if not status:
            yield required(f"{place}.status")
        elif kind in (*DECISIONS, FAILED) and status != "True":
            yield unsupported(f"{place}.status", status, ("True",))
    if {*DECISIONS} <= {*types}:
        words = "Approved and Denied conditions are mutually exclusive"
        yield invalid(CONDITIONS, DENIED, words)
    for condition in old:
        kind = condition.get("type")
        if kind in (*DECISIONS, FAILED) and kind not in types:
            yield forbidden(CONDITIONS, f'updates may not remove a condition of type "{kind}"')


def parsed_request(spec: Document) -> "x509.CertificateSigningRequest | None":
    """The request that a specification holds, signed by whoever has the key; None if it is none."""
    text = spec.get("request") or ""
    if not text or len(text) > REQUEST_BYTES_MAX:
        return None
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        held = x509.load_pem_x509_csr(base64.b64decode(text, validate=True))
        return held if held.is_signature_valid else None
    except (binascii.Error, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return None


def _usage_causes(usages: list[str]) -> Iterator[Cause]:
    if not usages:
        yield required("spec.usages")
    for index, usage in enumerate(usages):
        if usage not in USAGES:
            yield unsupported(f"spec.usages[{index}]", usage, USAGES)
        if usage in usages[:index]:
            yield duplicate(f"spec.usages[{index}]", usage)


def _signer_causes(name: str) -> Iterator[Cause]:
    field = "spec.signerName"
    if not name:
        yield required(field)
        return
    domain, slash, path = name.partition("/")
    if not slash or "/" in path:
        words = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(field, name, words)
        return
    for label in domain.split("."):
        for fault in label_faults(label):
            yield invalid(field, domain, f'validating label "{label}": {fault}')
    if "." not in domain:
        yield invalid(
            field, domain, "should be a domain with at least two segments separated by dots"
        )
    for fault in subdomain_faults(path):
        yield invalid(field, path, fault)
