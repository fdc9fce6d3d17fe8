"""What admission adds to a new pod for its ServiceAccount: a volume with token, CA and namespace.

    /var/run/secrets/kubernetes.io/serviceaccount/{token, ca.crt, namespace}

Pure: documents in, a document out. Not where pod or account say automountServiceAccountToken
false (the pod's word counts first), and not in a container that mounts something there itself.
Source: kubernetes.io, "Configure Service Accounts for Pods"; the admission plugin ServiceAccount.
"""

from collections.abc import Mapping
from typing import Any

from control.resources.strategies.strategy import Document

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
PREFIX = "kube-api-access-"
ROOT_CA = "kube-root-ca.crt"
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH = 5
TOKEN_SECONDS = 3607  # upstream's, a little more than an hour
MODE = 0o644


def with_token_volume(pod: Document, account: Mapping[str, Any] | None) -> Document:
    """The pod with the volume, mounted in each container that has nothing there."""
    spec = dict(pod.get("spec") or {})
    automatic = spec.get("automountServiceAccountToken")
    if automatic is None:
        automatic = (account or {}).get("automountServiceAccountToken")
    if automatic is False:
        return pod
    name = PREFIX + _suffix(str(pod["metadata"].get("uid", "")))
    mounted = False
    for key in ("initContainers", "containers"):
        if key in spec:
            spec[key] = [_with_mount(each, name) for each in spec[key]]
            mounted = mounted or any(_mounts(each, name) for each in spec[key])
    if not mounted:
        return pod
    spec["volumes"] = [*(spec.get("volumes") or ()), _volume(name)]
    return {**pod, "spec": spec}


def _suffix(uid: str) -> str:
    """Five characters that belong to this pod alone."""
    number = int("".join(each for each in uid if each in "0123456789abcdef") or "0", 16)
    letters = []
    for _ in range(SUFFIX_LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)


def _with_mount(container: Mapping[str, Any], volume: str) -> dict[str, Any]:
    mounts = list(container.get("volumeMounts") or ())
    if any(str(each.get("mountPath", "")).rstrip("/") == MOUNT_PATH for each in mounts):
        return dict(container)
    mount = {"name": volume, "readOnly": True, "mountPath": MOUNT_PATH}
    return {**container, "volumeMounts": [*mounts, mount]}


def _mounts(container: Mapping[str, Any], volume: str) -> bool:
    return any(each.get("name") == volume for each in container.get("volumeMounts") or ())


def _volume(name: str) -> dict[str, Any]:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": MODE}}
