"""The rows of the core group's smaller kinds.

Pure: documents in, text out. Source: Kubernetes API reference, core/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import (
    AGE,
    CONTAINERS,
    CREATED,
    IMAGES,
    NAME,
    SELECTOR,
    Column,
    Printer,
    Row,
    integer,
)
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import containers_text, labels_text, template_text


def _namespace(namespace: Document, now: datetime) -> Row:
    return [name_of(namespace), status_of(namespace).get("phase", ""), age(namespace, now)]


def _config_map(config_map: Document, now: datetime) -> Row:
    entries = len(config_map.get("data") or ()) + len(config_map.get("binaryData") or ())
    return [name_of(config_map), entries, age(config_map, now)]


def _secret(secret: Document, now: datetime) -> Row:
    entries = len(secret.get("data") or ())
    return [name_of(secret), secret.get("type", ""), entries, age(secret, now)]


def _service_account(account: Document, now: datetime) -> Row:
    return [name_of(account), len(items(account, "secrets")), age(account, now)]


def _controller(controller: Document, now: datetime) -> Row:
    spec, status = spec_of(controller), status_of(controller)
    return [
        name_of(controller),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(controller, now),
        *template_text(controller),
        labels_text(spec.get("selector")),
    ]


def _pod_template(template: Document, now: datetime) -> Row:
    names, images = containers_text(items(part(template, "template", "spec"), "containers"))
    labels = part(template, "template", "metadata").get("labels")
    return [name_of(template), names, images, labels_text(labels)]


def _quota(quota: Document, now: datetime) -> Row:
    hard, used = part(status_of(quota), "hard"), part(status_of(quota), "used")
    told = {each: f"{each}: {used.get(each, '0')}/{hard[each]}" for each in sorted(hard)}
    requests = [text for each, text in told.items() if not each.startswith("limits.")]
    limits = [text for each, text in told.items() if each.startswith("limits.")]
    return [name_of(quota), ", ".join(requests), ", ".join(limits), age(quota, now)]


def _created(document: Document, now: datetime) -> Row:
    return [name_of(document), document["metadata"].get("creationTimestamp")]


def _aged(document: Document, now: datetime) -> Row:
    return [name_of(document), age(document, now)]


CREATION_ONLY = Printer((NAME, CREATED), _created)  # kinds that upstream has no columns for
AGE_ONLY = Printer((NAME, AGE), _aged)

NAMESPACES = Printer(
    (NAME, Column("Status", "Active, or Terminating while it is emptied."), AGE), _namespace
)
CONFIG_MAPS = Printer((NAME, Column("Data", "How many entries it holds."), AGE), _config_map)
SECRETS = Printer(
    (NAME, Column("Type", "What the data is for."), Column("Data", "How many entries."), AGE),
    _secret,
)
SERVICE_ACCOUNTS = Printer(
    (NAME, Column("Secrets", "How many secrets its pods may use."), AGE), _service_account
)
REPLICATION_CONTROLLERS = Printer(
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
    _controller,
)
POD_TEMPLATES = Printer(
    (
        NAME,
        Column("Containers", CONTAINERS.description),
        Column("Images", IMAGES.description),
        Column("Pod Labels", "The labels of pods made from it."),
    ),
    _pod_template,
)
RESOURCE_QUOTAS = Printer(
    (
        NAME,
        Column("Request", "What is used, out of what may be requested."),
        Column("Limit", "What is used, out of what limits may add up to."),
        AGE,
    ),
    _quota,
)
