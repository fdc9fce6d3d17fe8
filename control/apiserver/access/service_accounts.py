"""Service accounts: their tokens given out, and who shows one.

Spec: kubernetes.io, "Managing Service Accounts", "TokenRequest".
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.apiserver import statuses
from control.apiserver.access.tokens import ISSUER, Bound, Claims, InvalidToken, read, signed
from control.apiserver.identity import AUTHENTICATED, User
from control.resources.causes import Cause
from control.store.record import ObjectKey
from control.store.store import Store

ACCOUNTS = ("", "serviceaccounts")
TOKEN_REQUESTS = Resource("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest")
SECONDS_DEFAULT, SECONDS_MIN, SECONDS_MAX = 3600, 600, 1 << 32
GROUP_OF_ALL = "system:serviceaccounts"
_BINDABLE = {"Pod": ("", "pods"), "Secret": ("", "secrets"), "Node": ("", "nodes")}
_EXTRA = "authentication.kubernetes.io/"


class ServiceAccounts:
    """Gives out tokens and knows them again."""

    def __init__(self, store: Store, key: bytes, clock: Clock) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def request(self, namespace: str, name: str, document: Document) -> Document:
        """The TokenRequest with its token; ApiError says what is wrong with it."""
        account = self._object(ACCOUNTS, namespace, name)
        if account is None:
            raise statuses.refusal(404, "NotFound", f'serviceaccounts "{name}" not found')
        spec = _mapping("spec", document.get("spec"))
        seconds = _seconds(spec.get("expirationSeconds"))
        audiences = _audiences(spec.get("audiences")) or (ISSUER,)
        reference = _mapping("boundObjectRef", spec.get("boundObjectRef"))
        bound = self._bound(namespace, name, reference)
        now = self._clock.now()
        claims = Claims(
            namespace,
            Bound("serviceaccount", name, account["metadata"]["uid"]),
            audiences,
            now + seconds,
            str(uuid.uuid4()),
            bound,
        )
        expires = datetime.fromtimestamp(int(claims.expires), UTC)
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": None},
            "spec": {**spec, "audiences": list(audiences), "expirationSeconds": seconds},
            "status": {
                "token": signed(claims, self._key, now),
                "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        }

    def user_of(self, token: str) -> User:
        """Who shows this token to the API; InvalidToken if it is worth nothing there."""
        user, _ = self.shown(token, (ISSUER,))
        return user

    def shown(self, token: str, audiences: tuple[str, ...]) -> tuple[User, list[str]]:
        """Who shows this token, and to which of the audiences he may; InvalidToken if to none."""
        claims = read(token, self._key, self._clock.now())
        meant = [each for each in audiences if each in claims.audiences]
        if not meant:
            raise InvalidToken(f"token audiences {list(claims.audiences)} is invalid")
        self._check_there(claims.namespace, claims.account, ACCOUNTS)
        extra: dict[str, tuple[str, ...]] = {f"{_EXTRA}credential-id": (f"JTI={claims.identity}",)}
        bound = claims.bound
        if bound is not None:
            resource = _BINDABLE[bound.kind.capitalize()]
            self._check_there("" if bound.kind == "node" else claims.namespace, bound, resource)
            extra[f"{_EXTRA}{bound.kind}-name"] = (bound.name,)
            extra[f"{_EXTRA}{bound.kind}-uid"] = (bound.uid,)
        groups = GROUP_OF_ALL, f"{GROUP_OF_ALL}:{claims.namespace}", AUTHENTICATED
        return User(claims.username, groups, claims.account.uid, extra), meant

    def _check_there(self, namespace: str, held: Bound, resource: tuple[str, str]) -> None:
        found = self._object(resource, namespace, held.name)
        if found is None or found["metadata"]["uid"] != held.uid:
            raise InvalidToken(f"the {held.kind} {held.name} of the token is gone")

    def _bound(self, namespace: str, account: str, reference: Mapping[str, Any]) -> Bound | None:
        if not reference:
            return None
        kind, name = str(reference.get("kind", "")), str(reference.get("name", ""))
        if kind not in _BINDABLE:
            raise _invalid("spec.boundObjectRef.kind", f'Unsupported value: "{kind}"')
        found = self._object(_BINDABLE[kind], "" if kind == "Node" else namespace, name)
        if found is None:
            plural = _BINDABLE[kind][1]
            raise statuses.refusal(404, "NotFound", f'{plural} "{name}" not found')
        uid, wanted = found["metadata"]["uid"], reference.get("uid")
        if wanted not in (None, "", uid):
            why = f"the UID in the bound object reference ({wanted}) does not match the UID in "
            raise statuses.refusal(
                409, "Conflict", f"{why}record. The object might have been deleted"
            )
        if kind == "Pod" and found["spec"].get("serviceAccountName", "default") != account:
            why = f'cannot bind token for serviceaccount "{account}" to pod running with different '
            raise statuses.bad_request(f"{why}serviceaccount name.")
        return Bound(kind.lower(), name, uid)

    def _object(self, resource: tuple[str, str], namespace: str, name: str) -> Document | None:
        record = self._store.get(resource, ObjectKey(namespace, name))
        return None if record is None else record.document


def _mapping(what: str, value: Any) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise statuses.bad_request(f"{what} is not an object")
    return value or {}


def _audiences(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise statuses.bad_request("spec.audiences is not a list of strings")
    return tuple(value)


def _seconds(value: Any) -> int:
    if value is None or value == 0:
        return SECONDS_DEFAULT
    if type(value) is not int:
        raise _invalid("spec.expirationSeconds", "it is not a whole number")
    if value < SECONDS_MIN:
        raise _invalid("spec.expirationSeconds", "may not specify a duration less than 10 minutes")
    if value > SECONDS_MAX:
        raise _invalid(
            "spec.expirationSeconds", "may not specify a duration larger than 2^32 seconds"
        )
    return value


def _invalid(field: str, why: str) -> Exception:
    cause = Cause("FieldValueInvalid", why, field)
    return statuses.invalid(TOKEN_REQUESTS, "", [cause])
