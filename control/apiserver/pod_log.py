"""pods/log: passes on what the pod's kubelet says."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from cluster.client.interface import Document
from cluster.objects.resources import PODS
from control.apiserver import statuses
from control.apiserver.kubelets import Kubelets
from control.apiserver.paths import ResourcePath
from control.store.record import ObjectKey
from control.store.store import Store

CHOICES = (
    "follow",
    "previous",
    "timestamps",
    "tailLines",
    "sinceSeconds",
    "sinceTime",
    "limitBytes",
    "stream",
)


class PodLogs:
    """The log subresource."""

    def __init__(self, store: Store, kubelets: Kubelets) -> None:
        self._store = store
        self.kubelets = kubelets

    async def serve(self, request: web.BaseRequest, path: ResourcePath) -> web.StreamResponse:
        """Stream a container's log."""
        namespace, name = path.namespace or "", path.name or ""
        record = self._store.get((PODS.group, PODS.plural), ObjectKey(namespace, name))
        if record is None:
            raise statuses.not_found(PODS, name)
        container = container_of(record.document, request.query)
        node = (record.document.get("spec") or {}).get("nodeName")
        if not node:
            raise statuses.bad_request(f"pod {name} does not have a host assigned")
        where = f"/containerLogs/{namespace}/{name}/{container}"
        query = {key: request.query[key] for key in CHOICES if key in request.query}
        async with self.kubelets.get(node, where, query) as answer:
            if answer.status != 200:
                raise _refused(answer.status, await answer.text())
            return await _passed_on(request, answer)


def container_of(pod: Document, query: Mapping[str, str]) -> str:
    """The container a query names, or the only one; ApiError 400 in upstream's words."""
    spec: Any = pod.get("spec") or {}
    groups = ("initContainers", "containers", "ephemeralContainers")
    names = [each["name"] for group in groups for each in spec.get(group) or ()]
    pod_name = pod["metadata"]["name"]
    wanted = query.get("container")
    if wanted:
        if wanted not in names:
            raise statuses.bad_request(f"container {wanted} is not valid for pod {pod_name}")
        return wanted
    running = [each["name"] for each in spec.get("containers") or ()]
    if len(running) == 1:
        return str(running[0])
    words = f"a container name must be specified for pod {pod_name}, choose one of: "
    raise statuses.bad_request(words + f"[{' '.join(names)}]")


def _refused(code: int, text: str) -> Exception:
    reason = {400: "BadRequest", 404: "NotFound"}.get(code, "InternalError")
    return statuses.refusal(code, reason, text.strip() or f"the kubelet answered {code}")


async def _passed_on(
    request: web.BaseRequest, answer: aiohttp.ClientResponse
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except aiohttp.ClientPayloadError:
        pass  # the kubelet went away: the log ends here, as a connection to it would
    return response
