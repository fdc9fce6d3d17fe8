"""ResourceQuota: what an object counts for, and what would be too much.

Pure: documents in, amounts and refusals out. Source: kubernetes.io, "Resource Quotas". Amounts are
in billionths (`control.resources.quantities`), counts too, so that both are compared alike.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from control.resources.quantities import nanos_of

Document = Mapping[str, Any]
Amounts = dict[str, int]

ONE = 10**9
COMPUTED = ("cpu", "memory", "ephemeral-storage")
OF_CLASS = ".storageclass.storage.k8s.io/"
# Resources that have a name of their own besides count/....
COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    }
)


def charges(group: str, plural: str, document: Document) -> Amounts:
    """What one object counts for, by the names that a quota may limit."""
    found = {f"count/{plural}.{group}" if group else f"count/{plural}": ONE}
    if group or plural not in COUNTED:
        return found
    if plural == "pods":
        return {**found, **_pod(document)}
    found[plural] = ONE
    spec = document.get("spec") or {}
    if plural == "services":
        ports = len(spec.get("ports") or ())
        kind = spec.get("type")
        balanced = kind == "LoadBalancer"
        opened = kind == "NodePort" or (
            balanced and spec.get("allocateLoadBalancerNodePorts") is not False
        )
        found["services.loadbalancers"] = ONE if balanced else 0
        found["services.nodeports"] = ONE * ports if opened else 0
    elif plural == "persistentvolumeclaims":
        requests = (spec.get("resources") or {}).get("requests") or {}
        storage, name = nanos_of(str(requests.get("storage") or "0")), spec.get("storageClassName")
        found["requests.storage"] = storage
        if name:
            found[f"{name}{OF_CLASS}requests.storage"] = storage
            found[f"{name}{OF_CLASS}persistentvolumeclaims"] = ONE
    return found


def source_of(name: str) -> tuple[str, str] | None:
    """The group and plural of the objects that a limit counts; None for one that nobody knows."""
    if name.startswith("count/"):
        plural, _, group = name.removeprefix("count/").partition(".")
        return group, plural
    if name in COUNTED:
        return "", name
    if name.startswith("services."):
        return "", "services"
    if name == "requests.storage" or OF_CLASS in name:
        return "", "persistentvolumeclaims"
    kind, _, rest = name.rpartition("requests.") if "requests." in name else ("", "", name)
    rest = rest.removeprefix("limits.")
    return ("", "pods") if not kind and rest in COMPUTED else None


def in_scope(quota: Document, plural: str, document: Document) -> bool:
    """Whether the quota is about this object: scopes are about pods alone."""
    spec = quota.get("spec") or {}
    scopes = [(scope, "Exists", ()) for scope in spec.get("scopes") or ()]
    for each in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        scopes.append((each["scopeName"], each.get("operator"), each.get("values") or ()))
    if scopes and plural != "pods":
        return False
    return all(_scoped(*scope, document) for scope in scopes)


def refusal_of(quota: Document, wanted: Amounts, used: Amounts) -> str | None:
    """Why the object may not be made under this quota, in upstream's words; None if it may."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    over = sorted(
        name
        for name, limit in hard.items()
        if wanted.get(name, 0) > 0 and used.get(name, 0) + wanted[name] > nanos_of(str(limit))
    )
    if not over:
        return None
    name = quota["metadata"]["name"]
    parts = {
        "requested": ((each, spelled(wanted[each], hard[each])) for each in over),
        "used": ((each, spelled(used.get(each, 0), hard[each])) for each in over),
        "limited": ((each, str(hard[each])) for each in over),
    }
    said = (f"{word}: {','.join(f'{k}={v}' for k, v in pairs)}" for word, pairs in parts.items())
    return f"exceeded quota: {name}, {', '.join(said)}"


def unsaid(quota: Document, pod: Document) -> str | None:
    """A quota of computed resources is about pods that say what they take; why this does not."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    missing: dict[str, list[str]] = {}
    for container in (pod.get("spec") or {}).get("containers") or ():
        for name in hard:
            if not _says(container, name):
                missing.setdefault(name, []).append(container["name"])
    if not missing:
        return None
    said = "; ".join(
        f"{name} for: {','.join(sorted(who))}" for name, who in sorted(missing.items())
    )
    return f"failed quota: {quota['metadata']['name']}: must specify {said}"


def spelled(nanos: int, like: Any) -> str:
    """An amount, in binary units where the limit has them."""
    if str(like).endswith("i"):
        whole, power = nanos // ONE, 0
        while whole and whole % 1024 == 0 and power < 6:
            whole, power = whole // 1024, power + 1
        return f"{whole}{('', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei')[power]}"
    whole, rest = divmod(nanos, ONE)
    return str(whole) if not rest else f"{-(-nanos // 10**6)}m"


def _pod(document: Document) -> Amounts:
    """A pod that ended takes nothing any more."""
    if (document.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    found = {"pods": ONE}
    spec = document.get("spec") or {}
    for side in ("requests", "limits"):
        for name in COMPUTED:
            running = sum(_of(each, side, name) for each in spec.get("containers") or ())
            starting = [_of(each, side, name) for each in spec.get("initContainers") or ()]
            amount = max([running, *starting])
            if amount:
                found[f"{side}.{name}"] = amount
                if side == "requests":
                    found[name] = amount
    return found


def _of(container: Document, side: str, name: str) -> int:
    resources = container.get("resources") or {}
    given = (resources.get(side) or {}).get(name)
    if given is None and side == "requests":
        given = (resources.get("limits") or {}).get(name)  # what is not requested is the limit
    return nanos_of(str(given or "0"))


def _says(container: Document, name: str) -> bool:
    side, _, plain = name.rpartition(".") if "." in name else ("requests", "", name)
    if plain not in COMPUTED or side not in ("requests", "limits"):
        return True
    return _of(container, side, plain) > 0


def _scoped(scope: str, operator: str | None, values: Iterable[str], pod: Document) -> bool:
    spec = pod.get("spec") or {}
    if scope in ("Terminating", "NotTerminating"):
        return (spec.get("activeDeadlineSeconds") is not None) == (scope == "Terminating")
    if scope in ("BestEffort", "NotBestEffort"):
        return (not any(_amounts(spec))) == (scope == "BestEffort")
    if scope == "PriorityClass":
        held = spec.get("priorityClassName") or ""
        match operator:
            case "In":
                return held in values
            case "NotIn":
                return held not in values
            case "DoesNotExist":
                return not held
        return bool(held)
    return False


def _amounts(spec: Document) -> Iterator[int]:
    for container in spec.get("containers") or ():
        for side in ("requests", "limits"):
            for name in ("cpu", "memory"):
                yield _of(container, side, name)
