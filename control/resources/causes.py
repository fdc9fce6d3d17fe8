"""Why a document is not valid: one cause for each field that is wrong.

Pure: values only. Source: k8s.io/apimachinery/pkg/util/validation/field, reasons and words.
"""

from cluster.dataclass import dataclass

INVALID = "FieldValueInvalid"
REQUIRED = "FieldValueRequired"
NOT_SUPPORTED = "FieldValueNotSupported"
DUPLICATE = "FieldValueDuplicate"
FORBIDDEN = "FieldValueForbidden"
TYPE_INVALID = "FieldValueTypeInvalid"
CAUSES_MAX = 1_000  # are looked for; whoever sends more wrong fields is not told of every one


@dataclass(frozen=True, slots=True)
class Cause:
    """One field and what is wrong with it."""

    reason: str  # FieldValueInvalid, FieldValueRequired, ...
    message: str  # `Invalid value: 70000: must be between 1 and 65535, inclusive`
    field: str  # spec.ports[0].port
