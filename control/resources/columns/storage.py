"""The rows of the storage group.

Pure: documents in, text out. Source: Kubernetes API reference, storage.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, integer
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import NONE, UNSET

DEFAULTS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
ATTRIBUTES_DEFAULT = "storage.kubernetes.io/is-default-class"


def _storage_class(storage_class: Document, now: datetime) -> Row:
    return [
        _marked(storage_class, *DEFAULTS),
        storage_class.get("provisioner", ""),
        storage_class.get("reclaimPolicy") or "Delete",
        storage_class.get("volumeBindingMode") or "Immediate",
        bool(storage_class.get("allowVolumeExpansion")),
        age(storage_class, now),
    ]


def _attributes_class(attributes_class: Document, now: datetime) -> Row:
    name = _marked(attributes_class, ATTRIBUTES_DEFAULT)
    return [name, attributes_class.get("driverName", ""), age(attributes_class, now)]


def _marked(document: Document, *annotations: str) -> str:
    """The name, with a word on who is taken where none is named."""
    held = document["metadata"].get("annotations") or {}
    default = any(held.get(each) == "true" for each in annotations)
    return f"{name_of(document)} (default)" if default else name_of(document)


def _attachment(attachment: Document, now: datetime) -> Row:
    spec = spec_of(attachment)
    return [
        name_of(attachment),
        spec.get("attacher", ""),
        part(spec, "source").get("persistentVolumeName") or "",
        spec.get("nodeName", ""),
        bool(status_of(attachment).get("attached")),
        age(attachment, now),
    ]


def _csi_node(node: Document, now: datetime) -> Row:
    return [name_of(node), len(items(spec_of(node), "drivers")), age(node, now)]


def _csi_driver(driver: Document, now: datetime) -> Row:
    spec = spec_of(driver)
    requests = spec.get("tokenRequests")
    audiences = ",".join(str(each.get("audience", "")) for each in requests or ())
    return [
        name_of(driver),
        bool(spec.get("attachRequired", True)),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        UNSET if requests is None else audiences,
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
        age(driver, now),
    ]


def _capacity(capacity: Document, now: datetime) -> Row:
    storage_class = capacity.get("storageClassName", "")
    return [name_of(capacity), storage_class, str(capacity.get("capacity", UNSET))]


def _boolean(name: str, description: str) -> Column:
    return Column(name, description, "boolean")


STORAGE_CLASSES = Printer(
    (
        NAME,
        Column("Provisioner", "Who makes its volumes."),
        Column("ReclaimPolicy", "What becomes of a volume when its claim goes."),
        Column("VolumeBindingMode", "Whether volumes are made at once or for their first pod."),
        Column("AllowVolumeExpansion", "Whether volumes may grow."),
        AGE,
    ),
    _storage_class,
)
VOLUME_ATTRIBUTES_CLASSES = Printer(
    (NAME, Column("DriverName", "The driver that knows its attributes."), AGE), _attributes_class
)
VOLUME_ATTACHMENTS = Printer(
    (
        NAME,
        Column("Attacher", "The driver that attaches.", format="name"),
        Column("PV", "The volume."),
        Column("Node", "The node that it is attached to."),
        _boolean("Attached", "Whether it is attached."),
        AGE,
    ),
    _attachment,
)
CSI_NODES = Printer((NAME, integer("Drivers", "How many drivers the node has."), AGE), _csi_node)
CSI_DRIVERS = Printer(
    (
        NAME,
        _boolean("AttachRequired", "Whether volumes are attached before they are mounted."),
        _boolean("PodInfoOnMount", "Whether the driver is told which pod mounts."),
        _boolean("StorageCapacity", "Whether the driver tells how much room there is."),
        Column("TokenRequests", "For whom it gets tokens of the pods' service accounts."),
        _boolean("RequiresRepublish", "Whether mounts are told to it again and again."),
        Column("Modes", "Whether its volumes outlive pods."),
        AGE,
    ),
    _csi_driver,
)
CSI_STORAGE_CAPACITIES = Printer(
    (
        NAME,
        Column("StorageClassName", "The class whose volumes it is about."),
        Column("Capacity", "How much room there is."),
    ),
    _capacity,
)
