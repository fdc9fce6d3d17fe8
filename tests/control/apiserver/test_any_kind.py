"""Whatever document of whatever kind: it is stored or refused in words, never a fault of ours."""

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.errors import ApiError
from control.apiserver.codec import Accepted, Form
from control.apiserver.paths import ResourcePath
from control.apiserver.reads import Reader
from control.apiserver.registry import Registry
from control.apiserver.writes import Request, Writer
from control.resources.kinds import Kind, kinds
from control.resources.schema import element_schema
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store
from tests.control.apiserver.documents import document

JSON = "application/json"
PATCHES = ("merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
TURNS = 6
POD = {"containers": [{"name": "web", "image": "echo"}]}
LABELS = {"app": "web"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
WORKLOAD = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
JOB = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
# What must be right for the rest to matter; drawn documents are laid over it.
SPECS: dict[str, Any] = {
    "pods": POD,
    "replicationcontrollers": {"selector": LABELS, "template": TEMPLATE},
    "services": {"ports": [{"port": 80}], "selector": LABELS},
    "daemonsets": WORKLOAD,
    "deployments": WORKLOAD,
    "replicasets": WORKLOAD,
    "statefulsets": {**WORKLOAD, "serviceName": "web"},
    "jobs": JOB,
    "cronjobs": {"schedule": "* * * * *", "jobTemplate": {"spec": JOB}},
    "ingresses": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    "persistentvolumeclaims": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
    "horizontalpodautoscalers": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "maxReplicas": 3,
    },
}
WRITTEN = [each for each in kinds() if "create" in each.verbs and element_schema(each) is not None]


class StillClock:
    scale = 1.0

    def now(self) -> float:
        return 1_767_268_800.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


class World:
    """A writer over a store with a namespace in it."""

    def __init__(self) -> None:
        addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
        self.registry = Registry(Store(NoJournal()), addresses, StillClock(), random.Random(1))
        self._writer = Writer(self.registry, Reader(self.registry, StillClock()))

    async def send(
        self,
        kind: Kind,
        method: str,
        body: Any,
        name: str | None = None,
        content_type: str = JSON,
        subresource: str | None = None,
    ) -> int:
        """The code of the answer, which must be fit to be sent."""
        resource = kind.resource
        namespace = "shop" if resource.namespaced else None
        where = ResourcePath(
            resource.group, resource.version, resource.plural, namespace, name, subresource
        )
        request = Request(
            kind=kind,
            path=where,
            query={"fieldManager": "test", "force": "true"},
            content_type=content_type,
            body=json.dumps(body).encode(),
            accepted=Accepted(Form.TABLE),
            user_agent="test/1",
        )
        try:
            answer = await getattr(self._writer, method.lower())(request)
        except ApiError as error:
            json.dumps(error.status)
            return error.code
        json.loads(answer.body)
        return int(answer.code)


async def play(kind: Kind, dice: random.Random, oddness: float) -> list[int]:
    """Create, replace and patch one object, every time with something else."""
    namespaces = next(each for each in kinds() if each.resource.plural == "namespaces")
    node = element_schema(kind)
    assert node is not None
    world = World()
    codes = [await world.send(namespaces, "POST", {"metadata": {"name": "shop"}})]
    for _ in range(TURNS):
        made = document(dice, node, oddness)
        if isinstance(made, dict):
            spec = SPECS.get(kind.resource.plural)
            made |= {"spec": overlaid(dice, spec, made.get("spec"))} if spec else {}
            made |= {"apiVersion": kind.resource.api_version, "kind": kind.resource.kind}
            made["metadata"] = {**_dict(made.get("metadata")), "name": "web", "namespace": "shop"}
            made["metadata"].pop("resourceVersion", None)
            if not kind.resource.namespaced:
                del made["metadata"]["namespace"]
        codes.append(await world.send(kind, "POST", made))
        codes.append(await world.send(kind, "PUT", made, "web"))
        patch = f"application/{dice.choice(PATCHES)}"
        codes.append(await world.send(kind, "PATCH", made, "web", patch))
        for subresource in set(kind.subresources) & {"status", "scale"}:
            codes.append(await world.send(kind, "PUT", made, "web", subresource=subresource))
    return codes


def overlaid(dice: random.Random, base: Any, drawn: Any) -> Any:
    """The base with a part of what was drawn."""
    if not isinstance(base, dict) or not isinstance(drawn, dict):
        return base
    more = {key: value for key, value in drawn.items() if dice.random() < 0.4}
    kept = {key: overlaid(dice, value, drawn.get(key)) for key, value in base.items()}
    return {**more, **kept} if dice.random() < 0.9 else {**kept, **more}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda each: each.resource.plural)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), oddness=st.sampled_from([0.0, 0.02, 0.1]))
def test_no_document_makes_the_server_stumble(kind: Kind, seed: int, oddness: float) -> None:
    codes = asyncio.run(play(kind, random.Random(seed), oddness))
    assert max(codes) < 500
