"""The row of a Lease.

Pure: documents in, text out. Source: Kubernetes API reference, coordination.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row
from control.resources.columns.reading import name_of, spec_of


def _lease(lease: Document, now: datetime) -> Row:
    return [name_of(lease), spec_of(lease).get("holderIdentity") or "", age(lease, now)]


LEASES = Printer((NAME, Column("Holder", "Who holds it."), AGE), _lease)
