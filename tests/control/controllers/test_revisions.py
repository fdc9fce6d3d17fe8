"""Template hashes and revisions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control.controllers.revisions import (
    ALPHABET,
    LAST_APPLIED,
    REVISION,
    REVISION_HISTORY,
    new_set,
    next_revision,
    set_annotations,
    set_from_template,
    template_hash,
)


def made(deployment: Any, **more: Any) -> dict[str, Any]:
    options = {"collisions": 0, "replicas": 1, "annotations": {}, **more}
    document = set_from_template(deployment, **options)
    document["metadata"].setdefault("uid", document["metadata"]["name"])
    return document


def test_the_set_of_a_template_is_found_again_whatever_its_hash_label(build: Any) -> None:
    """P-80."""
    web = build.deployment("web")
    one, other = made(web), made(build.deployment("web", image="echo:2"))
    assert new_set(web, [other, one]) is one
    assert new_set(web, [other]) is None


def test_of_equal_sets_the_oldest_is_the_new_one(build: Any) -> None:
    web = build.deployment("web")
    old, young = made(web), made(web, collisions=1)
    old["metadata"]["creationTimestamp"] = build.stamp(1)
    young["metadata"]["creationTimestamp"] = build.stamp(2)
    assert new_set(web, [young, old]) is old


def test_a_restart_is_another_template(build: Any) -> None:
    """`kubectl rollout restart` annotates the template."""
    web = build.deployment("web")
    before = made(web)
    web["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "x"}
    assert new_set(web, [before]) is None
    assert made(web)["metadata"]["name"] != before["metadata"]["name"]


@given(st.text(), st.integers(0, 5))
def test_a_hash_uses_only_its_alphabet(image: str, collisions: int) -> None:
    """P-80."""
    digest = template_hash({"spec": {"containers": [{"image": image}]}}, collisions)
    assert len(digest) == 10
    assert set(digest) <= set(ALPHABET)


def test_another_collision_count_is_another_hash() -> None:
    assert template_hash({}, 0) != template_hash({}, 1)


def test_annotations_are_copied_but_for_kubectls_own(build: Any) -> None:
    """P-85."""
    notes = {"kubernetes.io/change-cause": "new logo", LAST_APPLIED: "{}", REVISION: "7"}
    web = build.deployment("web", metadata={"annotations": notes})
    assert set_annotations(web, None, 3, {}) == {
        "kubernetes.io/change-cause": "new logo",
        REVISION: "3",
    }


def test_a_revision_that_returns_remembers_its_former_numbers(build: Any) -> None:
    """P-85."""
    held = build.replica_set("x", metadata={"annotations": {REVISION: "2", REVISION_HISTORY: "1"}})
    notes = set_annotations(build.deployment("web"), held, 5, {})
    assert (notes[REVISION], notes[REVISION_HISTORY]) == ("5", "1,2")
    assert next_revision([held]) == 3


def test_a_lower_number_never_replaces_a_higher(build: Any) -> None:
    held = build.replica_set("x", metadata={"annotations": {REVISION: "5"}})
    assert set_annotations(build.deployment("web"), held, 4, {})[REVISION] == "5"
