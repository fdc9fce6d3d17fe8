"""Turns what HTTP says into the exceptions of `cluster.errors`.

Pure: no I/O.
"""

from typing import Any

import orjson

from cluster.errors import ApiError

TEXT_SHOWN_MAX = 200


def error_of(code: int, reason: str, body: bytes) -> ApiError:
    """The `metav1.Status` of a refusal; one made up where the body holds none."""
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return ApiError({**status, "code": status.get("code") or code})
    text = body[:TEXT_SHOWN_MAX].decode("utf-8", "replace").strip()
    message = f"the API server answered {code} {reason}" + (f": {text}" if text else "")
    return ApiError(_status(code, reason, message))


def event_error(document: Any) -> ApiError:
    """The Status that an ERROR event of a watch carries, as 410 Expired."""
    if isinstance(document, dict) and document.get("code"):
        return ApiError(document)
    return ApiError(_status(500, "InternalError", f"the watch ended with an error: {document}"))


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
