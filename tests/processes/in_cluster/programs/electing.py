"""A program in a pod that leads as long as it has the Lease; the leader follows ConfigMaps.

Of each that it hears it says in its data who heard it. Written for any cluster, as `asking` is.
"""

import os
from pathlib import Path

from kubernetes_asyncio.client import ApiClient, Configuration, CoreV1Api
from kubernetes_asyncio.config import load_incluster_config
from kubernetes_asyncio.leaderelection import electionconfig, leaderelection
from kubernetes_asyncio.leaderelection.resourcelock.leaselock import LeaseLock
from kubernetes_asyncio.watch import Watch

FILES = Path(os.environ.get("KUBEHOP_ROOT", "/"), "var/run/secrets/kubernetes.io/serviceaccount")
NAME, NAMESPACE = os.environ["HOSTNAME"], (FILES / "namespace").read_text()


async def follow(client: ApiClient) -> None:
    """Answer every ConfigMap that is labelled."""
    core = CoreV1Api(client)
    async with Watch() as watch:
        async for event in watch.stream(
            core.list_namespaced_config_map, NAMESPACE, label_selector="heard=wanted"
        ):
            held = event["object"]
            if event["type"] != "DELETED" and not held.data:
                data = {"data": {"by": NAME}}
                await core.patch_namespaced_config_map(held.metadata.name, NAMESPACE, data)


async def main() -> None:
    """Stand for election until the pod goes."""
    configuration = Configuration()
    load_incluster_config(
        configuration, token_filename=str(FILES / "token"), cert_filename=str(FILES / "ca.crt")
    )
    async with ApiClient(configuration) as client:
        election = electionconfig.Config(
            LeaseLock("leader", NAMESPACE, NAME, client),
            lease_duration=3,
            renew_deadline=2,
            retry_period=1,
            onstarted_leading=follow(client),
            onstopped_leading=None,
        )
        await leaderelection.LeaderElection(election).run()
