"""Where the definitions' "required" and the server's differ.

The definitions say it of each field that Go always writes. The server decodes first and validates
then: a missing field is its zero value, often a valid one; and an optional struct may hold
something that is required all the same. Source: Kubernetes' `pkg/apis/*/validation`.
"""

# The zero value is valid.
NOT_REQUIRED: dict[str, frozenset[str]] = {
    "batch.v1.PodFailurePolicy": frozenset({"rules"}),
    "core.v1.Event": frozenset({"metadata", "involvedObject"}),
    "core.v1.HTTPHeader": frozenset({"value"}),
    "core.v1.ISCSIPersistentVolumeSource": frozenset({"lun"}),
    "core.v1.ISCSIVolumeSource": frozenset({"lun"}),
    "core.v1.LimitRangeSpec": frozenset({"limits"}),
    "core.v1.PreferredSchedulingTerm": frozenset({"preference"}),
    "core.v1.SleepAction": frozenset({"seconds"}),
    "core.v1.Sysctl": frozenset({"value"}),
    "networking.v1.HTTPIngressPath": frozenset({"backend"}),
    "storage.v1.CSIDriver": frozenset({"spec"}),
    "storage.v1.CSINode": frozenset({"spec"}),
    "storage.v1.CSINodeSpec": frozenset({"drivers"}),
    "storage.v1.VolumeAttachmentSpec": frozenset({"source"}),
}
# Structs whose insides are checked whether they are given or not.
ALSO_REQUIRED: dict[str, tuple[str, ...]] = {
    "batch.v1.Job": ("spec",),
    "batch.v1.JobTemplateSpec": ("spec",),
    "core.v1.Pod": ("spec",),
    "core.v1.PodTemplateSpec": ("spec",),
}
