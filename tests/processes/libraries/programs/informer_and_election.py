"""An informer's cache follows the cluster; of two candidates one leads, then the other."""

import sys
import threading
from typing import Any

from kubernetes import client, config
from kubernetes.informer import SharedInformer
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

kubeconfig, namespace = sys.argv[1:]
config.load_kube_config(kubeconfig)
core = client.CoreV1Api()

# informer
added, changed, gone = threading.Event(), threading.Event(), threading.Event()
informer = SharedInformer(core.list_namespaced_config_map, namespace, label_selector="a=b")
informer.add_event_handler("ADDED", lambda _: added.set())
informer.add_event_handler("MODIFIED", lambda _: changed.set())
informer.add_event_handler("DELETED", lambda _: gone.set())
informer.start()
core.create_namespaced_config_map(
    namespace, {"metadata": {"name": "one", "labels": {"a": "b"}}, "data": {"x": "1"}}
)
assert added.wait(30)
core.patch_namespaced_config_map("one", namespace, {"data": {"x": "2"}})
assert changed.wait(30)
assert informer.cache.get_by_key(f"{namespace}/one").data == {"x": "2"}
core.delete_namespaced_config_map("one", namespace)
assert gone.wait(30)
assert informer.cache.list() == []
informer.stop()

# election
leading: list[str] = []
turns = {name: threading.Event() for name in ("first", "second")}
give_up = threading.Event()


def candidate(name: str) -> threading.Thread:
    def lead() -> None:
        leading.append(name)
        turns[name].set()
        if name == "first":
            give_up.wait(60)
            raise RuntimeError("the first one steps down")

    wanted: dict[str, Any] = {"lease_duration": 3, "renew_deadline": 2, "retry_period": 1}
    lock = LeaseLock("leader", namespace, name)
    election = Config(lock, onstarted_leading=lead, onstopped_leading=None, **wanted)
    thread = threading.Thread(target=LeaderElection(election).run, daemon=True)
    thread.start()
    return thread


candidate("first")
assert turns["first"].wait(60)
lease = client.CoordinationV1Api().read_namespaced_lease("leader", namespace)
assert lease.spec.holder_identity == "first"
candidate("second")
assert leading == ["first"]
give_up.set()
assert turns["second"].wait(60)
lease = client.CoordinationV1Api().read_namespaced_lease("leader", namespace)
assert lease.spec.holder_identity == "second"
