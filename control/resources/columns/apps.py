"""The rows of the apps group: what keeps pods running.

Pure: documents in, text out. Source: Kubernetes API reference, apps/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    SELECTOR,
    Column,
    Printer,
    Row,
    integer,
)
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import NONE, labels_text, selector_text, template_text


def _deployment(deployment: Document, now: datetime) -> Row:
    status = status_of(deployment)
    return [
        name_of(deployment),
        _ready(deployment),
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(deployment, now),
        *template_text(deployment),
        selector_text(spec_of(deployment).get("selector")),
    ]


def _replica_set(replica_set: Document, now: datetime) -> Row:
    spec, status = spec_of(replica_set), status_of(replica_set)
    return [
        name_of(replica_set),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(replica_set, now),
        *template_text(replica_set),
        selector_text(spec.get("selector")) or NONE,
    ]


def _stateful_set(stateful_set: Document, now: datetime) -> Row:
    ready = _ready(stateful_set)
    return [name_of(stateful_set), ready, age(stateful_set, now), *template_text(stateful_set)]


def _daemon_set(daemon_set: Document, now: datetime) -> Row:
    spec, status = spec_of(daemon_set), status_of(daemon_set)
    return [
        name_of(daemon_set),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        labels_text(part(spec, "template", "spec").get("nodeSelector")),
        age(daemon_set, now),
        *template_text(daemon_set),
        selector_text(spec.get("selector")) or NONE,
    ]


def _revision(revision: Document, now: datetime) -> Row:
    owner = _controller_name(revision)
    return [name_of(revision), owner, revision.get("revision", 0), age(revision, now)]


def _controller_name(document: Document) -> str:
    """`statefulset.apps/web`."""
    for owner in items(document["metadata"], "ownerReferences"):
        if owner.get("controller"):
            group = str(owner.get("apiVersion", "")).rpartition("/")[0]
            kind = str(owner.get("kind", "")).lower()
            return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"
    return NONE


def _ready(document: Document) -> str:
    wanted = spec_of(document).get("replicas", 0)
    return f"{status_of(document).get('readyReplicas', 0)}/{wanted}"


_READY = Column("Ready", "How many pods are ready, out of how many wanted.")

DEPLOYMENTS = Printer(
    (
        NAME,
        _READY,
        Column("Up-to-date", "How many pods have the newest template."),
        Column("Available", "How many pods have been ready for long enough."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    _deployment,
)
REPLICA_SETS = Printer(
    (
        NAME,
        integer("Desired", "How many pods are wanted."),
        integer("Current", "How many pods there are."),
        integer("Ready", "How many pods are ready."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    _replica_set,
)
STATEFUL_SETS = Printer((NAME, _READY, AGE, CONTAINERS, IMAGES), _stateful_set)
DAEMON_SETS = Printer(
    (
        NAME,
        integer("Desired", "How many nodes are to run its pod."),
        integer("Current", "How many nodes run its pod and are to."),
        integer("Ready", "How many nodes run a ready pod."),
        integer("Up-to-date", "How many nodes run a pod of the newest template."),
        integer("Available", "How many nodes run a pod that was ready for long enough."),
        Column("Node Selector", "Which nodes are to run its pod, by labels."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    _daemon_set,
)
CONTROLLER_REVISIONS = Printer(
    (
        NAME,
        Column("Controller", "Whose history it belongs to."),
        Column("Revision", "Its number in the history."),
        AGE,
    ),
    _revision,
)
