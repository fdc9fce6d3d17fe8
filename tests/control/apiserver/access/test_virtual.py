"""Kinds that are asked and stored nowhere."""

from control.apiserver.access.virtual import find_virtual, virtual_kinds
from control.apiserver.paths import parse_path


def test_a_review_is_found_at_its_path() -> None:
    path = parse_path("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    assert path is not None
    kind = find_virtual(path)
    assert kind is not None and kind.verbs == ("create",)
    nothing = parse_path("/apis/authorization.k8s.io/v1/nonsense")
    assert nothing is not None and find_virtual(nothing) is None


def test_only_local_reviews_have_a_namespace() -> None:
    names = {each.resource.kind for each in virtual_kinds() if each.resource.namespaced}
    assert names == {"LocalSubjectAccessReview"}
