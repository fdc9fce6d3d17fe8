"""Who asks: the owner of the machine over the Unix socket, a certificate or a token over TLS.

Pure: what the connection showed in, a user or a refusal out. Authorisation by roles is not built:
whoever is known may do everything.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control.apiserver import statuses

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
# What may be asked without a name, as upstream's public-info-viewer and health checks.
OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version", "/version/"})


@dataclass(frozen=True, slots=True)
class User:
    """A name and the groups it is in."""

    name: str
    groups: tuple[str, ...] = ()


ADMIN = User("system:admin", (MASTERS, AUTHENTICATED))


def identify(
    *,
    local: bool,
    certificate: Mapping[str, Any] | None,
    authorization: str,
    tokens: Mapping[str, User],
) -> User | None:
    """The user, or None for nobody; a token that is wrong is ApiError 401."""
    if local:
        return ADMIN
    if certificate:
        return _certified(certificate)
    if not authorization:
        return None
    scheme, _, token = authorization.partition(" ")
    shown = token.strip().encode(errors="surrogateescape")  # any bytes: strings must be ASCII
    for known, user in tokens.items():
        if scheme.lower() == "bearer" and hmac.compare_digest(shown, known.encode()):
            return user
    raise statuses.unauthorized()


def _certified(certificate: Mapping[str, Any]) -> User:
    """CN is the name, each O a group (`ssl.SSLSocket.getpeercert()`'s form)."""
    fields = [pair for name in certificate.get("subject", ()) for pair in name]
    names = [value for key, value in fields if key == "commonName"]
    groups = [value for key, value in fields if key == "organizationName"]
    return User(names[0] if names else "", (*groups, AUTHENTICATED))
