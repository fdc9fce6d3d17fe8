"""Which built-in versions are stored as another one, and how they become it.

Pure: data. A row of `kinds.json` names what it is stored as (`stored_as`); the conversion is found
here by the group, version and plural that clients ask for.
"""

from control.resources.conversion.autoscaling import AUTOSCALERS
from control.resources.conversion.conversion import Conversion
from control.resources.conversion.events import EVENTS

CONVERSIONS: dict[tuple[str, str, str], Conversion] = {
    ("autoscaling", "v1", "horizontalpodautoscalers"): AUTOSCALERS,
    ("events.k8s.io", "v1", "events"): EVENTS,
}
