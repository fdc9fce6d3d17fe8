"""Which volume a claim may have."""

from typing import Any

import pytest

from control.controllers.volume_match import claimed_by, fits, may_have, volume_for

CLAIM: dict[str, Any] = {
    "metadata": {"name": "data", "namespace": "default", "uid": "u"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "selector": {"matchLabels": {"disk": "fast"}},
    },
}


def volume(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    modes = ["ReadWriteOnce", "ReadOnlyMany"]
    given = {"accessModes": modes, "capacity": {"storage": "1024Mi"}, **spec}
    return {"metadata": {"name": "v", "labels": labels or {"disk": "fast"}}, "spec": given}


@pytest.mark.parametrize(
    "wrong",
    [
        {"accessModes": ["ReadOnlyMany"]},
        {"capacity": {"storage": "1023Mi"}},
        {"storageClassName": "slow"},
        {"volumeMode": "Block"},
        {"labels": {"disk": "slow"}},
    ],
)
def test_everything_that_is_asked_for_must_be_offered(wrong: dict[str, Any]) -> None:
    assert fits(volume(), CLAIM)
    assert not fits(volume(**wrong), CLAIM)


def test_a_volume_of_another_claim_is_not_free() -> None:
    taken = volume(claimRef={"namespace": "default", "name": "other", "uid": "o"})
    assert volume_for(CLAIM, [taken]) is None
    assert not may_have(taken, CLAIM)


def test_a_volume_of_a_former_claim_of_the_name_is_not_this_ones() -> None:
    reference = {"namespace": "default", "name": "data"}
    assert claimed_by(volume(claimRef=reference), CLAIM)
    assert claimed_by(volume(claimRef={**reference, "uid": "u"}), CLAIM)
    assert not claimed_by(volume(claimRef={**reference, "uid": "former"}), CLAIM)
