"""Asking as somebody else: `kubectl --as`.

Pure: headers in, a user and the rights that it takes out. Source: kubernetes.io, "Authenticating",
user impersonation.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from control.apiserver import statuses
from control.apiserver.access.attributes import Attributes
from control.apiserver.identity import ACCOUNT, ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User

USER, UID, GROUP = "Impersonate-User", "Impersonate-Uid", "Impersonate-Group"
EXTRA = "impersonate-extra-"
_GROUP = "authentication.k8s.io"


def impersonated(headers: Mapping[str, str], groups: Sequence[str]) -> User | None:
    """Who is asked as, or None; `groups` are the values of the header that may come again."""
    name, uid = headers.get(USER, ""), headers.get(UID, "")
    extra: dict[str, tuple[str, ...]] = {}
    for key, value in headers.items():  # each may come again
        if key.lower().startswith(EXTRA):
            what = unquote(key[len(EXTRA) :]).lower()
            extra[what] = (*extra.get(what, ()), value)
    if not name:
        if groups or uid or extra:
            words = "requested impersonation without impersonating a user"
            raise statuses.bad_request(f"invalid impersonation headers: {words}")
        return None
    return User(name, (*_groups(name, groups),), uid, extra)


def _groups(name: str, groups: Sequence[str]) -> list[str]:
    """Those asked for; a service account has its own without asking."""
    found = list(groups)
    if name.startswith(ACCOUNT) and not groups:
        namespace = name[len(ACCOUNT) :].partition(":")[0]
        found = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    if name == ANONYMOUS.name:
        return [*found, *({UNAUTHENTICATED} - set(found))]
    return [*found, *({AUTHENTICATED} - set(found))]


def rights_for(user: User, groups: Sequence[str]) -> list[Attributes]:
    """What whoever asks has to be allowed."""

    def right(resource: str, name: str, group: str = "", namespace: str = "") -> Attributes:
        return Attributes(
            verb="impersonate",
            group=group,
            version="v1",
            resource=resource,
            namespace=namespace,
            name=name,
        )

    if user.name.startswith(ACCOUNT):
        namespace, _, account = user.name[len(ACCOUNT) :].partition(":")
        wanted = [right("serviceaccounts", account, namespace=namespace)]
    else:
        wanted = [right("users", user.name)]
    wanted += [right("groups", group) for group in groups]
    wanted += [right("uids", user.uid, _GROUP)] if user.uid else []
    return [
        *wanted,
        *(
            right(f"userextras/{key}", value, _GROUP)
            for key, values in user.extra.items()
            for value in values
        ),
    ]
