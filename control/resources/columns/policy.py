"""The row of a PodDisruptionBudget.

Pure: documents in, text out. Source: Kubernetes API reference, policy/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, integer
from control.resources.columns.reading import name_of, spec_of, status_of

NOT_GIVEN = "N/A"


def _budget(budget: Document, now: datetime) -> Row:
    spec, status = spec_of(budget), status_of(budget)
    return [
        name_of(budget),
        str(spec.get("minAvailable", NOT_GIVEN)),
        str(spec.get("maxUnavailable", NOT_GIVEN)),
        status.get("disruptionsAllowed", 0),
        age(budget, now),
    ]


POD_DISRUPTION_BUDGETS = Printer(
    (
        NAME,
        Column("Min Available", "How many pods must stay available."),
        Column("Max Unavailable", "How many pods may be unavailable."),
        integer("Allowed Disruptions", "How many pods may be disrupted now."),
        AGE,
    ),
    _budget,
)
