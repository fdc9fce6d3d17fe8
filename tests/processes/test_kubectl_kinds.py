"""One object of every kind that is served: created, shown, described, applied, diffed, deleted.

Clients read each kind into a type of their own, so that a field of a wrong type fails here.
"""

import json
from typing import Any

import pytest

POD_SPEC = {
    "nodeSelector": {"nowhere": "yes"},
    "containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}],
}
TEMPLATE = {"metadata": {"labels": {"app": "all"}}, "spec": POD_SPEC}
SELECTOR = {"matchLabels": {"app": "all"}}
WORKLOAD = {"selector": SELECTOR, "template": TEMPLATE}
JOB = {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}
RBAC = "rbac.authorization.k8s.io"
# an atomic list: said whole
GPU = {"deviceClassName": "gpu", "count": 1, "allocationMode": "ExactCount"}
CLAIM = {"devices": {"requests": [{"name": "gpu", "exactly": GPU}]}}
CAPACITY = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}

PRIORITY = {"groupPriorityMinimum": 1000, "versionPriority": 10}
REQUEST = (  # of a client named ada
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISU1IQUNBUUF3RGpFTU1Bb0dBMVVFQXd3"
    "RFlXUmhNRmt3RXdZSEtvWkl6ajBDQVFZSUtvWkl6ajBEQVFjRApRZ0FFcWJ0bUZQYUVPeTFHT1dUbnFLQkFa"
    "WE9CTi93dXlaeGdZNlZ3amIrbCtFNUFNVk9xbXRYYUpnNU1KWXFtCmhNMy83RXFiWTdFb2t2VHdmd1BkR3JF"
    "ZVhLQUFNQW9HQ0NxR1NNNDlCQU1DQTBnQU1FVUNJUURhenRpRVJiMkoKSzdIS2lya2RSQTl1S29xU1JjZkZF"
    "ZmZNVCsxMHRsL2JHd0lnWE1TRmxMMEEyWk9KNG5yM0tVSHJOMUhpSzBoQgpxYXZnZW1UYzViL0xWdFk9Ci0t"
    "LS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="
)
# kind by kind as `api-resources` names them: apiVersion, and the object but for its metadata
NAMESPACED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "configmaps": ("v1", "ConfigMap", {"data": {"a": "1"}}),
    "endpoints": (
        "v1",
        "Endpoints",
        {
            "subsets": [
                {
                    "addresses": [{"ip": "10.244.1.2"}],
                    "ports": [{"port": 80, "protocol": "TCP"}],  # an atomic list: said whole
                }
            ]
        },
    ),
    "limitranges": (
        "v1",
        "LimitRange",
        {"spec": {"limits": [{"type": "Container", "default": {"cpu": "500m"}}]}},
    ),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim", {"spec": CAPACITY}),
    "pods": ("v1", "Pod", {"spec": POD_SPEC}),
    "podtemplates": ("v1", "PodTemplate", {"template": TEMPLATE}),
    "replicationcontrollers": (
        "v1",
        "ReplicationController",
        {"spec": {"replicas": 0, "selector": {"app": "all"}, "template": TEMPLATE}},
    ),
    "resourcequotas": ("v1", "ResourceQuota", {"spec": {"hard": {"pods": "10"}}}),
    "secrets": ("v1", "Secret", {"data": {"a": "MQ=="}}),
    "serviceaccounts": ("v1", "ServiceAccount", {}),
    "services": ("v1", "Service", {"spec": {"ports": [{"port": 80}]}}),
    "controllerrevisions.apps": ("apps/v1", "ControllerRevision", {"revision": 1, "data": {}}),
    "daemonsets.apps": ("apps/v1", "DaemonSet", {"spec": WORKLOAD}),
    "deployments.apps": ("apps/v1", "Deployment", {"spec": {**WORKLOAD, "replicas": 0}}),
    "replicasets.apps": ("apps/v1", "ReplicaSet", {"spec": {**WORKLOAD, "replicas": 0}}),
    "statefulsets.apps": ("apps/v1", "StatefulSet", {"spec": {**WORKLOAD, "serviceName": "all"}}),
    "horizontalpodautoscalers.autoscaling": (
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        {
            "spec": {
                "maxReplicas": 3,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "all"},
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 80},
                        },
                    }
                ],
            }
        },
    ),
    "cronjobs.batch": (
        "batch/v1",
        "CronJob",
        {"spec": {"schedule": "@hourly", "jobTemplate": {"spec": JOB}}},
    ),
    "jobs.batch": ("batch/v1", "Job", {"spec": JOB}),
    "leases.coordination.k8s.io": (
        "coordination.k8s.io/v1",
        "Lease",
        {"spec": {"holderIdentity": "me", "renewTime": "2026-01-01T12:00:00.000000Z"}},
    ),
    "endpointslices.discovery.k8s.io": (
        "discovery.k8s.io/v1",
        "EndpointSlice",
        {
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
            "endpoints": [{"addresses": ["10.244.1.2"], "conditions": {"ready": True}}],
        },
    ),
    "ingresses.networking.k8s.io": (
        "networking.k8s.io/v1",
        "Ingress",
        {
            "spec": {
                "rules": [
                    {
                        "host": "shop.example",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "a", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                ]
            }
        },
    ),
    "networkpolicies.networking.k8s.io": (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        {"spec": {"podSelector": SELECTOR, "policyTypes": ["Egress"]}},
    ),
    "podcertificaterequests.certificates.k8s.io": (
        "certificates.k8s.io/v1",
        "PodCertificateRequest",
        {
            "spec": {
                "signerName": "example.com/signer",
                "podName": "all",
                "podUID": "00000000-0000-0000-0000-000000000001",
                "serviceAccountName": "default",
                "serviceAccountUID": "00000000-0000-0000-0000-000000000002",
                "nodeName": "node-1",
                "nodeUID": "00000000-0000-0000-0000-000000000003",
                "stubPKCS10Request": "QQ==",
            }
        },
    ),
    "resourceclaims.resource.k8s.io": ("resource.k8s.io/v1", "ResourceClaim", {"spec": CLAIM}),
    "resourceclaimtemplates.resource.k8s.io": (
        "resource.k8s.io/v1",
        "ResourceClaimTemplate",
        {"spec": {"spec": CLAIM}},
    ),
    "poddisruptionbudgets.policy": (
        "policy/v1",
        "PodDisruptionBudget",
        {"spec": {"minAvailable": "50%", "selector": SELECTOR}},
    ),
    "roles.rbac.authorization.k8s.io": (
        f"{RBAC}/v1",
        "Role",
        {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    ),
    "rolebindings.rbac.authorization.k8s.io": (
        f"{RBAC}/v1",
        "RoleBinding",
        {
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "all"},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "ada"}],
        },
    ),
    "csistoragecapacities.storage.k8s.io": (
        "storage.k8s.io/v1",
        "CSIStorageCapacity",
        {"storageClassName": "fast", "capacity": "1Gi"},
    ),
}
CLUSTER_WIDE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "namespaces": ("v1", "Namespace", {}),
    "nodes": ("v1", "Node", {"spec": {"unschedulable": True}}),
    "persistentvolumes": (
        "v1",
        "PersistentVolume",
        {
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/data"},
            }
        },
    ),
    "clusterroles.rbac.authorization.k8s.io": (
        f"{RBAC}/v1",
        "ClusterRole",
        {"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]},
    ),
    "clusterrolebindings.rbac.authorization.k8s.io": (
        f"{RBAC}/v1",
        "ClusterRoleBinding",
        {
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "all"},
            "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "default"}],
        },
    ),
    "ingressclasses.networking.k8s.io": (
        "networking.k8s.io/v1",
        "IngressClass",
        {"spec": {"controller": "example.com/ingress"}},
    ),
    "priorityclasses.scheduling.k8s.io": (
        "scheduling.k8s.io/v1",
        "PriorityClass",
        {"value": 1000},
    ),
    "runtimeclasses.node.k8s.io": ("node.k8s.io/v1", "RuntimeClass", {"handler": "runsc"}),
    "storageclasses.storage.k8s.io": (
        "storage.k8s.io/v1",
        "StorageClass",
        {"provisioner": "example.com/disk"},
    ),
    "certificatesigningrequests.certificates.k8s.io": (
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
        {"spec": {"request": REQUEST, "signerName": "example.com/a", "usages": ["client auth"]}},
    ),
    "clustertrustbundles.certificates.k8s.io": (
        "certificates.k8s.io/v1",
        "ClusterTrustBundle",
        {"spec": {"trustBundle": "-----BEGIN CERTIFICATE-----"}},
    ),
    "flowschemas.flowcontrol.apiserver.k8s.io": (
        "flowcontrol.apiserver.k8s.io/v1",
        "FlowSchema",
        {"spec": {"priorityLevelConfiguration": {"name": "low"}}},
    ),
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": (
        "flowcontrol.apiserver.k8s.io/v1",
        "PriorityLevelConfiguration",
        {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}},
    ),
    "deviceclasses.resource.k8s.io": ("resource.k8s.io/v1", "DeviceClass", {"spec": {}}),
    "devicetaintrules.resource.k8s.io": (
        "resource.k8s.io/v1",
        "DeviceTaintRule",
        {"spec": {"taint": {"key": "example.com/bad", "effect": "NoSchedule"}}},
    ),
    "resourceslices.resource.k8s.io": (
        "resource.k8s.io/v1",
        "ResourceSlice",
        {
            "spec": {
                "driver": "gpu.example.com",
                "nodeName": "node-1",
                "pool": {"name": "one", "generation": 1, "resourceSliceCount": 1},
            }
        },
    ),
    "storageversionmigrations.storagemigration.k8s.io": (
        "storagemigration.k8s.io/v1",
        "StorageVersionMigration",
        {"spec": {"resource": {"group": "apps", "resource": "deployments"}}},
    ),
    "apiservices.apiregistration.k8s.io": (
        "apiregistration.k8s.io/v1",
        "APIService",
        {"spec": {"group": "apps", "version": "v1", **PRIORITY}},
    ),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        {"webhooks": []},
    ),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        {"webhooks": []},
    ),
    "csidrivers.storage.k8s.io": ("storage.k8s.io/v1", "CSIDriver", {"spec": {}}),
    "csinodes.storage.k8s.io": ("storage.k8s.io/v1", "CSINode", {"spec": {"drivers": []}}),
    "volumeattributesclasses.storage.k8s.io": (
        "storage.k8s.io/v1",
        "VolumeAttributesClass",
        {"driverName": "example.com/disk", "parameters": {"a": "b"}},
    ),
    "volumeattachments.storage.k8s.io": (
        "storage.k8s.io/v1",
        "VolumeAttachment",
        {
            "spec": {
                "attacher": "example.com/disk",
                "nodeName": "node-1",
                "source": {"persistentVolumeName": "disk"},
            }
        },
    ),
}
# Written by the control plane itself, named by what they hold, or refused.
POLICIES = (
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)
OTHERS = {
    "customresourcedefinitions.apiextensions.k8s.io",
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "events",
    "events.events.k8s.io",
    "ipaddresses.networking.k8s.io",
    "servicecidrs.networking.k8s.io",
}
# A budget's selector is replaced whole, so that kubectl sends it each time, here as anywhere.
SENT_EACH_TIME = "poddisruptionbudget.policy/all configured"


# Clients from 1.31 to 1.33 describe it by a beta version of its group.
NOT_DESCRIBED = "VolumeAttributesClass"


@pytest.fixture
def everything(kubectl: Any) -> str:
    """A List of all of them; the cluster-wide ones are named after the test's namespace."""
    items = [
        {"apiVersion": version, "kind": kind, "metadata": {"name": "all"}, **fields}
        for version, kind, fields in NAMESPACED.values()
    ]
    items += [
        {"apiVersion": version, "kind": kind, "metadata": {"name": named(kubectl)}, **fields}
        for version, kind, fields in CLUSTER_WIDE.values()
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def named(kubectl: Any) -> str:
    return f"all-{kubectl.namespace}"


def test_every_kind_is_here(kubectl: Any) -> None:
    listed = set(kubectl("api-resources", "--verbs=list", "--output=name").split())
    assert listed == {*NAMESPACED, *CLUSTER_WIDE, *OTHERS}


def test_every_kind_lives_its_life(kubectl: Any, everything: str) -> None:
    count = len(NAMESPACED) + len(CLUSTER_WIDE)
    made = kubectl("apply", "--filename=-", stdin=everything).splitlines()
    assert len(made) == count
    assert all(line.endswith(" created") for line in made)
    same = kubectl("apply", "--filename=-", stdin=everything).splitlines()
    assert [line for line in same if not line.endswith(" unchanged")] == [SENT_EACH_TIME]
    assert kubectl.run("diff", "--filename=-", stdin=everything).status == 0
    wide = kubectl("get", "--filename=-", "--output=wide", "--no-headers", stdin=everything)
    assert len([line for line in wide.splitlines() if line.strip()]) == count
    items = json.loads(everything)["items"]
    told = [each for each in items if each["kind"] != NOT_DESCRIBED]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": told})
    described = kubectl("describe", "--filename=-", stdin=manifest)
    assert described.count("\nName:") + described.startswith("Name:") >= len(told)
    gone = kubectl("delete", "--filename=-", "--wait=false", stdin=everything).splitlines()
    assert len(gone) == count


def test_an_autoscaler_is_one_object_in_both_versions(kubectl: Any) -> None:
    kubectl("create", "deployment", "web", "--image=nginx:1", "--replicas=0")
    kubectl("autoscale", "deployment", "web", "--min=1", "--max=3", "--cpu-percent=70")
    named = "horizontalpodautoscalers.{}.autoscaling"
    old = kubectl("get", named.format("v1"), "web", "--output=jsonpath={.spec}")
    assert json.loads(old)["targetCPUUtilizationPercentage"] == 70
    new = kubectl("get", named.format("v2"), "web", "--output=jsonpath={.spec.metrics[*]}")
    assert json.loads(new)["resource"]["target"]["averageUtilization"] == 70
    assert kubectl("get", "hpa", "web", "--no-headers").split()[1] == "Deployment/web"


def test_an_event_is_one_object_in_both_groups(kubectl: Any) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "told"},
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": kubectl.namespace},
        "reason": "Seen",
        "message": "once",
    }
    kubectl("create", "--filename=-", stdin=json.dumps(event))
    chosen = "--field-selector=regarding.name=a"
    path = "--output=jsonpath={.items[*].note}"
    assert kubectl("get", "events.events.k8s.io", chosen, path) == "once"
    kubectl("delete", "events.events.k8s.io", "told")
    assert kubectl("get", "events", "--output=name", "--field-selector=reason=Seen") == ""


@pytest.mark.parametrize("kind", POLICIES)
def test_policies_that_nothing_would_run_are_refused(kubectl: Any, kind: str) -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "strict"},
        "spec": {},
    }
    ran = kubectl.run("create", "--validate=ignore", "--filename=-", stdin=json.dumps(policy))
    assert ran.status == 1
    assert "this API server runs no admission policies" in ran.err
