"""ConfigMaps and Secrets.

Pure: documents in, documents out. Source: kubernetes.io, "Secrets".
"""

import base64

from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation.configuration import (
    config_map_causes,
    config_map_update_causes,
    secret_causes,
    secret_update_causes,
)


def _encoded(secret: Document) -> Document:
    """Plain text becomes data; where both name a key, the text wins."""
    text = secret.get("stringData")
    kept = {key: value for key, value in secret.items() if key != "stringData"}
    if not text:
        return kept
    data = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
    return {**kept, "data": {**(secret.get("data") or {}), **data}}


CONFIG_MAP = Strategy(causes=config_map_causes, update_causes=config_map_update_causes)
SECRET = Strategy(defaults=_encoded, causes=secret_causes, update_causes=secret_update_causes)
