"""Tokens of service accounts: JSON Web Tokens, signed with a key that only the control plane has.

Signed by HMAC with SHA-256, which costs microseconds and no library; so nobody else can verify them
(there is no published key set). Bound to a service account and mostly to a pod: with either gone
the token is worth nothing. Source: RFC 7519, 7515; kubernetes.io, "Managing Service Accounts".
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cluster.dataclass import dataclass
from control.apiserver.identity import ACCOUNT

ISSUER = "https://kubernetes.default.svc.cluster.local"
CLAIM = "kubernetes.io"
LEEWAY_SECONDS = 10.0
TOKEN_LENGTH_MAX = 8192
_HEADER = {"alg": "HS256", "typ": "JWT"}


class InvalidToken(ValueError):
    """It is none of ours, or no longer good."""


@dataclass(frozen=True, slots=True)
class Bound:
    """An object that a token is bound to."""

    kind: str  # "serviceaccount", "pod", "secret", "node"
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature is known to be ours."""

    namespace: str
    account: Bound
    audiences: tuple[str, ...]
    expires: float
    identity: str
    bound: Bound | None = None

    @property
    def username(self) -> str:
        """As rules name the account."""
        return f"{ACCOUNT}{self.namespace}:{self.account.name}"


def signed(claims: Claims, key: bytes, now: float) -> str:
    """The token."""
    inside: dict[str, Any] = {
        "namespace": claims.namespace,
        "serviceaccount": {"name": claims.account.name, "uid": claims.account.uid},
    }
    if claims.bound is not None:
        inside[claims.bound.kind] = {"name": claims.bound.name, "uid": claims.bound.uid}
    payload = {
        "aud": list(claims.audiences),
        "exp": int(claims.expires),
        "iat": int(now),
        "nbf": int(now),
        "iss": ISSUER,
        "jti": claims.identity,
        "sub": claims.username,
        CLAIM: inside,
    }
    text = f"{_encoded(_HEADER)}.{_encoded(payload)}"
    return f"{text}.{_base64(_signature(text, key))}"


def read(token: str, key: bytes, now: float) -> Claims:
    """What a token says; InvalidToken if it is not ours or its time is over."""
    text, _, signature = token.rpartition(".")
    if len(token) > TOKEN_LENGTH_MAX or text.count(".") != 1:
        raise InvalidToken("it is no token")
    try:
        ours = hmac.compare_digest(_signature(text, key), _bytes(signature))
        payload = orjson.loads(_bytes(text.partition(".")[2])) if ours else None
    except (ValueError, binascii.Error) as error:
        raise InvalidToken("it is no token") from error
    if payload is None:
        raise InvalidToken("its signature is not ours")
    if payload["exp"] + LEEWAY_SECONDS < now:
        raise InvalidToken("token has expired")
    return _claims(payload)


def _claims(payload: Mapping[str, Any]) -> Claims:
    inside = payload[CLAIM]
    account = Bound("serviceaccount", **inside["serviceaccount"])
    bound = next(
        (Bound(kind, **inside[kind]) for kind in ("pod", "secret", "node") if kind in inside), None
    )
    audiences: Sequence[str] = payload["aud"]
    return Claims(
        inside["namespace"], account, tuple(audiences), payload["exp"], payload["jti"], bound
    )


def _signature(text: str, key: bytes) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encoded(value: Any) -> str:
    return _base64(orjson.dumps(value))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
