"""The IP families of a Service on a cluster that has one.

Pure: a Service's spec in, its families out. Spec: S-44, S-45, S-46, S-49.
"""

from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import invalid

IPV4, IPV6 = "IPv4", "IPv6"
SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
HEADLESS = "None"


def with_families(spec: dict[str, Any], family: str) -> dict[str, Any]:
    """The spec with policy and families filled in."""
    policy = spec.get("ipFamilyPolicy")
    if _anywhere(spec):
        policy = policy or REQUIRE
        first = (spec.get("ipFamilies") or [family])[0]
        other = IPV6 if first == IPV4 else IPV4
        families = [first] if policy == SINGLE else [first, other]
        return {**spec, "ipFamilyPolicy": policy, "ipFamilies": families}
    families = spec.get("ipFamilies") or [family]
    return {**spec, "ipFamilyPolicy": policy or SINGLE, "ipFamilies": families}


def family_causes(spec: dict[str, Any], family: str) -> list[Cause]:
    """What this cluster cannot give."""
    if _anywhere(spec):
        return []
    causes = [
        invalid(f"spec.ipFamilies[{index}]", each, "not configured on this cluster")
        for index, each in enumerate(spec.get("ipFamilies") or ())
        if each != family
    ]
    if spec.get("ipFamilyPolicy") == REQUIRE:
        words = "this cluster is not configured for dual-stack services"
        causes.append(invalid("spec.ipFamilyPolicy", REQUIRE, words))
    return causes


def _anywhere(spec: dict[str, Any]) -> bool:
    """Without a selector and without an address, a Service may name endpoints of any family."""
    return spec.get("clusterIP") == HEADLESS and not spec.get("selector")
