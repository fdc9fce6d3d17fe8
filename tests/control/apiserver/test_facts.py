"""What the API says of itself: in which form, and to whom it need not say it again."""

import re
from typing import Any

import orjson
import pytest

from cluster.errors import ApiError
from control.apiserver.answer import Answer
from control.apiserver.facts import ANSWERS_MAX, Facts
from control.resources.catalogue import Catalogue
from control.resources.openapi import V2_MEDIA_TYPE, OpenApi
from control.store.journal import NoJournal
from control.store.store import Store

V2_ASKED_FOR = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def aggregated(version: str) -> str:
    return f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


@pytest.fixture
def facts() -> Facts:
    return Facts(Store(NoJournal()), Catalogue())


def get(facts: Facts, path: str, accept: str = "application/json", known: str = "") -> Answer:
    path, _, query = path.partition("?")
    return facts.answer(path, accept, dict([query.split("=")]) if query else {}, known)


def read(answer: Answer) -> Any:
    assert (answer.code, answer.content_type) == (200, "application/json")
    return orjson.loads(answer.body)


def refused(facts: Facts, path: str, accept: str = "application/json") -> int:
    with pytest.raises(ApiError) as caught:
        get(facts, path, accept)
    return caught.value.code


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/"])
def test_health_is_a_word(facts: Facts, path: str) -> None:
    assert get(facts, path).body == b"ok"


@pytest.mark.parametrize("path", ["/version", "/version/"])
def test_the_version_is_one_that_kubectl_can_compare(facts: Facts, path: str) -> None:
    version = read(get(facts, path))
    assert re.fullmatch(r"v1\.37\.0\+kubehop\.\d+\.\d+\.\d+", version["gitVersion"])
    assert (version["major"], version["minor"]) == ("1", "37")


# -- discovery


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/json, */*"])
def test_clients_that_know_no_better_get_the_legacy_form(facts: Facts, accept: str) -> None:
    assert read(get(facts, "/api", accept))["kind"] == "APIVersions"
    assert read(get(facts, "/apis", accept))["kind"] == "APIGroupList"


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (f"{aggregated('v2')},{aggregated('v2beta1')},application/json", "v2"),
        (f"{aggregated('v2beta1')},application/json", "v2beta1"),
        (f"{aggregated('v3')},{aggregated('v2beta1')},application/json", "v2beta1"),
    ],
)
def test_an_aggregated_answer_is_named_as_it_was_asked_for(
    facts: Facts, accept: str, version: str
) -> None:
    answer = get(facts, "/apis", accept)
    assert answer.content_type == aggregated(version)
    assert orjson.loads(answer.body)["apiVersion"] == f"apidiscovery.k8s.io/{version}"


def test_what_comes_first_in_accept_wins(facts: Facts) -> None:
    answer = get(facts, "/api", f"application/json,{aggregated('v2')}")
    assert read(answer)["kind"] == "APIVersions"


def test_groups_and_versions_have_paths_of_their_own(facts: Facts) -> None:
    assert read(get(facts, "/api/v1"))["groupVersion"] == "v1"
    assert read(get(facts, "/apis/apps"))["name"] == "apps"
    assert read(get(facts, "/apis/apps/v1/"))["groupVersion"] == "apps/v1"


def test_the_root_lists_paths_that_answer(facts: Facts) -> None:
    paths = read(get(facts, "/"))["paths"]
    assert {"/api/v1", "/apis/apps/v1", "/openapi/v2", "/openapi/v3/api/v1"} <= set(paths)
    assert {get(facts, path, "*/*").code for path in paths} == {200}


@pytest.mark.parametrize(
    "path", ["/api/v2", "/apis/none", "/apis/apps/v9", "/apis//v1", "/metrics", "/openapi/v3/none"]
)
def test_everything_else_is_404(facts: Facts, path: str) -> None:
    assert refused(facts, path) == 404


# -- OpenAPI


def test_the_index_leads_to_documents_that_may_be_kept_for_good(facts: Facts) -> None:
    paths = read(get(facts, "/openapi/v3"))["paths"]
    answer = get(facts, paths["apis/apps/v1"]["serverRelativeURL"])
    assert "immutable" in answer.headers["Cache-Control"]
    assert "/apis/apps/v1/namespaces/{namespace}/deployments" in read(answer)["paths"]


def test_a_document_without_its_hash_is_asked_for_again(facts: Facts) -> None:
    answer = get(facts, "/openapi/v3/api/v1")
    assert "Cache-Control" not in answer.headers
    assert answer.headers["ETag"] == f'"{OpenApi(Catalogue()).v3_hash("api/v1")}"'


def test_an_old_hash_leads_to_the_present_one(facts: Facts) -> None:
    answer = get(facts, "/openapi/v3/api/v1?hash=OLD")
    assert (answer.code, answer.body) == (301, b"")
    assert answer.headers["Location"] == OpenApi(Catalogue()).v3_address("api/v1")


@pytest.mark.parametrize("accept", [V2_ASKED_FOR, V2_MEDIA_TYPE, "*/*", ""])
def test_swagger_is_protobuf_under_a_name_that_go_can_parse(facts: Facts, accept: str) -> None:
    answer = get(facts, "/openapi/v2", accept)
    assert "@" not in answer.content_type and answer.content_type.endswith("+protobuf")
    assert answer.body == OpenApi(Catalogue()).v2_protobuf()


def test_swagger_as_json_is_refused(facts: Facts) -> None:
    assert refused(facts, "/openapi/v2", "application/json") == 406


# -- what clients know already


@pytest.mark.parametrize(
    "path", ["/api", "/apis", "/apis/apps/v1", "/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1"]
)
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_what_a_client_has_is_not_sent_again(facts: Facts, path: str, form: str) -> None:
    first = get(facts, path, "*/*")
    again = get(facts, path, "*/*", form.format(first.headers["ETag"]))
    assert (again.code, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert get(facts, path, "*/*", '"other"').code == 200


def test_forms_of_one_path_have_tags_of_their_own(facts: Facts) -> None:
    legacy, whole = get(facts, "/apis"), get(facts, "/apis", aggregated("v2"))
    assert legacy.headers["ETag"] != whole.headers["ETag"]


def test_accept_headers_of_clients_do_not_pile_up(facts: Facts) -> None:
    for number in range(ANSWERS_MAX + 10):
        get(facts, "/api", f"application/json;q=0.{number}")
    assert len(facts._cached) == ANSWERS_MAX


# -- the store's newest versions


async def test_the_newest_version_of_each_resource_is_told(facts: Facts) -> None:
    store = Store(NoJournal())
    for name in ("a", "b"):
        record = store.put(("", "pods"), {"metadata": {"name": name, "namespace": "default"}})
    await store.committed()
    path = "/kubehop/v1/resource-versions"
    assert read(get(Facts(store, Catalogue()), path)) == {"pods": str(record.version)}
    assert read(get(facts, path)) == {}
