"""Who asks: the owner of the machine over the Unix socket, a certificate or a token over TLS.

Pure: what the connection showed in, a user or a refusal out; `control.apiserver.access` says what
the user may do.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from cluster.dataclass import dataclass
from control.apiserver import statuses

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ACCOUNT = "system:serviceaccount:"  # then NAMESPACE:NAME


@dataclass(frozen=True, slots=True)
class User:
    """A name and the groups it is in."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As reviews show a user."""
        shown = {
            "username": self.name,
            "uid": self.uid,
            "groups": list(self.groups),
            "extra": {key: list(values) for key, values in self.extra.items()},
        }
        return {key: value for key, value in shown.items() if value}


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))
ADMIN = User("system:admin", (MASTERS, AUTHENTICATED))


def identify(
    *,
    local: bool,
    certificate: Mapping[str, Any] | None,
    authorization: str,
    tokens: Mapping[str, User],
    account_of: Callable[[str], User | None] = lambda token: None,
) -> User:
    """The user; a token that nobody knows is ApiError 401."""
    if local:
        return ADMIN
    if certificate:
        return _certified(certificate)
    if not authorization:
        return ANONYMOUS
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise statuses.unauthorized()
    shown = token.strip().encode(errors="surrogateescape")  # any bytes: strings must be ASCII
    for known, user in tokens.items():
        if hmac.compare_digest(shown, known.encode()):
            return user
    account = account_of(token.strip())
    if account is not None:
        return account
    raise statuses.unauthorized()


def _certified(certificate: Mapping[str, Any]) -> User:
    """CN is the name, each O a group (`ssl.SSLSocket.getpeercert()`'s form)."""
    fields = [pair for name in certificate.get("subject", ()) for pair in name]
    names = [value for key, value in fields if key == "commonName"]
    groups = [value for key, value in fields if key == "organizationName"]
    return User(names[0] if names else "", (*groups, AUTHENTICATED))
