"""The rows of kinds about the API itself: APIServices, priorities of requests, migrations.

Pure: documents in, text out. Source: Kubernetes API reference, apiregistration.k8s.io,
flowcontrol.apiserver.k8s.io, storagemigration.k8s.io.
"""

from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import NONE


def _api_service(service: Document, now: datetime) -> Row:
    target = part(spec_of(service), "service")
    place = f"{target.get('namespace', '')}/{target.get('name', '')}" if target else "Local"
    return [name_of(service), place, _available(service), age(service, now)]


def _available(service: Document) -> str:
    for each in items(status_of(service), "conditions"):
        if each.get("type") == "Available":
            status = str(each.get("status", ""))
            return status if status == "True" else f"{status} ({each.get('reason', '')})"
    return "Unknown"


def _flow_schema(schema: Document, now: datetime) -> Row:
    spec = spec_of(schema)
    conditions = items(status_of(schema), "conditions")
    dangling = (each.get("status") for each in conditions if each.get("type") == "Dangling")
    return [
        name_of(schema),
        part(spec, "priorityLevelConfiguration").get("name", ""),
        str(spec.get("matchingPrecedence", "")),
        part(spec, "distinguisherMethod").get("type") or NONE,
        age(schema, now),
        str(next(dangling, "?")),
    ]


def _priority_level(level: Document, now: datetime) -> Row:
    spec = spec_of(level)
    limited = part(spec, "limited")
    queuing = part(limited, "limitResponse", "queuing")
    return [
        name_of(level),
        spec.get("type", ""),
        _text(limited.get("nominalConcurrencyShares")),
        *(_text(queuing.get(key)) for key in ("queues", "handSize", "queueLengthLimit")),
        age(level, now),
    ]


def _migration(migration: Document, now: datetime) -> Row:
    resource = part(spec_of(migration), "resource")
    told = (str(resource.get(each, "")) for each in ("resource", "version", "group"))
    return [name_of(migration), ".".join(each for each in told if each)]


def _text(value: Any) -> str:
    return NONE if value is None else str(value)


API_SERVICES = Printer(
    (
        NAME,
        Column("Service", "Who answers for it; Local is this API server."),
        Column("Available", "Whether it answers."),
        AGE,
    ),
    _api_service,
)
FLOW_SCHEMAS = Printer(
    (
        NAME,
        Column("PriorityLevel", "The level that its requests are of."),
        Column("MatchingPrecedence", "Which schema is tried first: the lower."),
        Column("DistinguisherMethod", "How its requests are told apart."),
        AGE,
        Column("MissingPL", "Whether its level is missing."),
    ),
    _flow_schema,
)
PRIORITY_LEVELS = Printer(
    (
        NAME,
        Column("Type", "Whether its requests are limited."),
        Column("NominalConcurrencyShares", "Its share of what is worked on at once."),
        Column("Queues", "How many queues it has."),
        Column("HandSize", "How many of them a flow may use."),
        Column("QueueLengthLimit", "How many requests a queue holds."),
        AGE,
    ),
    _priority_level,
)
MIGRATIONS = Printer(
    (NAME, Column("Resource", "What is to be stored anew.")),
    _migration,
)
