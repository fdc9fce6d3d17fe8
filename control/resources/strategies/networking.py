"""Endpoints, slices, policies, ingresses: defaults that depend on other fields.

Pure: documents in, documents out. Spec: N-3, S-145.
"""

from control.resources.strategies.strategy import Document, Strategy
from control.resources.validation.endpoints import (
    endpoints_causes,
    slice_causes,
    slice_update_causes,
)
from control.resources.validation.ingresses import ingress_causes
from control.resources.validation.network_policies import policy_causes


def _with_policy_types(policy: Document) -> Document:
    """A policy is for ingress, and for egress if it has a rule for it (N-3)."""
    spec = dict(policy.get("spec") or {})
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return {**policy, "spec": spec}


def _not_balanced(document: Document) -> Document:
    return {"loadBalancer": {}}


ENDPOINTS = Strategy(causes=endpoints_causes)
ENDPOINT_SLICE = Strategy(generation=True, causes=slice_causes, update_causes=slice_update_causes)
NETWORK_POLICY = Strategy(generation=True, defaults=_with_policy_types, causes=policy_causes)
INGRESS = Strategy(status=_not_balanced, generation=True, causes=ingress_causes)
INGRESS_CLASS = Strategy(generation=True)
