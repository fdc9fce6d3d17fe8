"""Stored records as the version shows them that a client asked for.

Pure: records in, records out. Nearly all kinds have one version, and are shown as they are stored.
"""

import orjson

from control.resources.kinds import Kind
from control.store.record import Record


def as_asked(kind: Kind, record: Record) -> Record:
    """A record in its asked version; the same one where that is how it is stored."""
    if kind.conversion is None:
        return record
    document = kind.from_stored(record.document)
    if document is record.document:
        return record
    return Record(record.key, record.version, document, orjson.dumps(document))
