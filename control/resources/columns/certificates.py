"""The rows of requests for certificates and of bundles of authorities.

Pure: documents in, text out. Source: Kubernetes API reference, certificates.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age, human_duration
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row
from control.resources.columns.reading import is_true, items, name_of, spec_of, status_of
from control.resources.columns.text import NONE


def _signing_request(request: Document, now: datetime) -> Row:
    spec = spec_of(request)
    seconds = spec.get("expirationSeconds")
    return [
        name_of(request),
        age(request, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human_duration(seconds),
        _condition(request),
    ]


def _condition(request: Document) -> str:
    """`Approved,Issued`: what was decided, and what came of it."""
    status = status_of(request)
    types = {str(each.get("type", "")) for each in items(status, "conditions")}
    decided = next((each for each in ("Denied", "Approved") if each in types), "Pending")
    told = [decided, *(["Failed"] if "Failed" in types else [])]
    return ",".join([*told, *(["Issued"] if status.get("certificate") else [])])


def _bundle(bundle: Document, now: datetime) -> Row:
    return [name_of(bundle), spec_of(bundle).get("signerName") or NONE]


def _pod_certificate(request: Document, now: datetime) -> Row:
    spec = spec_of(request)
    conditions = items(status_of(request), "conditions")
    ended = (each for each in ("Issued", "Denied", "Failed") if is_true(conditions, each))
    return [
        name_of(request),
        spec.get("podName", ""),
        spec.get("serviceAccountName", ""),
        spec.get("nodeName", ""),
        spec.get("signerName", ""),
        next(ended, "Pending"),
    ]


_SIGNER = Column("SignerName", "Who signs.")
SIGNING_REQUESTS = Printer(
    (
        NAME,
        AGE,
        _SIGNER,
        Column("Requestor", "Who asks."),
        Column("RequestedDuration", "How long the certificate shall be valid."),
        Column("Condition", "What was decided of it."),
    ),
    _signing_request,
)
TRUST_BUNDLES = Printer((NAME, _SIGNER), _bundle)
POD_CERTIFICATES = Printer(
    (
        NAME,
        Column("PodName", "The pod that it is for."),
        Column("ServiceAccountName", "The pod's service account."),
        Column("NodeName", "The node that the pod is on."),
        _SIGNER,
        Column("State", "What has become of it."),
    ),
    _pod_certificate,
)
