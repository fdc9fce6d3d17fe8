"""The asyncio flavour of the official client: watches, exec."""

import asyncio
import sys

from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client.api_client import ApiClient
from kubernetes_asyncio.stream import WsApiClient

kubeconfig, namespace = sys.argv[1:]
POD = {
    "metadata": {"name": "box"},
    "spec": {"containers": [{"name": "box", "image": "echo"}]},
}


async def ready(core: client.CoreV1Api) -> None:
    async with watch.Watch() as watching:
        async for event in watching.stream(
            core.list_namespaced_pod,
            namespace,
            field_selector="metadata.name=box",
            timeout_seconds=60,
        ):
            conditions = event["object"].status.conditions or []
            if any(each.type == "Ready" and each.status == "True" for each in conditions):
                return
    raise AssertionError("the pod was not ready in time")


async def main() -> None:
    await config.load_kube_config(kubeconfig)
    async with ApiClient() as api:
        core = client.CoreV1Api(api)
        await core.create_namespaced_pod(namespace, POD)
        await ready(core)
        pods = await core.list_namespaced_pod(namespace, watch=False)
        assert [each.metadata.name for each in pods.items] == ["box"]
        async with WsApiClient() as streams:
            said = await client.CoreV1Api(streams).connect_get_namespaced_pod_exec(
                "box",
                namespace,
                command=["sh", "-c", "echo $HOSTNAME"],
                stdout=True,
                stderr=True,
                stdin=False,
                tty=False,
            )
        assert said == "box\n", said
        await core.delete_namespaced_pod("box", namespace, grace_period_seconds=0)


asyncio.run(main())
