"""The rows of webhook configurations, admission policies and their bindings.

Pure: documents in, text out. Source: Kubernetes API reference, admissionregistration.k8s.io/v1.
"""

from collections.abc import Callable
from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, integer
from control.resources.columns.reading import items, name_of, part, spec_of
from control.resources.columns.text import UNSET


def _webhooks(configuration: Document, now: datetime) -> Row:
    return [name_of(configuration), len(items(configuration, "webhooks")), age(configuration, now)]


def _policy(rules: str) -> Callable[[Document, datetime], Row]:
    def row(policy: Document, now: datetime) -> Row:
        spec = spec_of(policy)
        given = part(spec, "paramKind")
        kind = f"{given.get('apiVersion', '')}/{given.get('kind', '')}" if given else UNSET
        return [name_of(policy), len(items(spec, rules)), kind, age(policy, now)]

    return row


def _binding(binding: Document, now: datetime) -> Row:
    spec = spec_of(binding)
    given = part(spec, "paramRef")
    places = (given.get("namespace"), given.get("name") or "*")
    told = "/".join(str(each) for each in places if each) if given else UNSET
    return [name_of(binding), spec.get("policyName", ""), told, age(binding, now)]


WEBHOOKS = Printer((NAME, integer("Webhooks", "How many webhooks it has."), AGE), _webhooks)
_PARAMETERS = Column("ParamKind", "The kind of what it takes as parameters.")
VALIDATING_POLICIES = Printer(
    (NAME, integer("Validations", "How many rules it has."), _PARAMETERS, AGE),
    _policy("validations"),
)
MUTATING_POLICIES = Printer(
    (NAME, integer("Mutations", "How many changes it makes."), _PARAMETERS, AGE),
    _policy("mutations"),
)
POLICY_BINDINGS = Printer(
    (
        NAME,
        Column("PolicyName", "The policy that is bound."),
        Column("ParamRef", "What it takes as parameters."),
        AGE,
    ),
    _binding,
)
