"""Which built-in versions are stored as another one, and how they become it.

Pure: data. A row of `kinds.json` names what it is stored as (`stored_as`); the conversion is found
here by the group, version and plural that clients ask for.
"""

from control.resources.conversion.conversion import Conversion

CONVERSIONS: dict[tuple[str, str, str], Conversion] = {}
