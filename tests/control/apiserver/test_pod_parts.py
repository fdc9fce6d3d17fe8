"""pods/ephemeralcontainers and pods/resize: what a write may change, and what is refused."""

import pytest

POD = {
    "metadata": {"name": "web"},
    "spec": {
        "containers": [{"name": "app", "image": "x", "resources": {"requests": {"cpu": "1"}}}]
    },
}
PODS = "/api/v1/namespaces/shop/pods"
EPHEMERAL = f"{PODS}/web/ephemeralcontainers"
STRATEGIC = "application/strategic-merge-patch+json"


@pytest.fixture
async def web(client):
    assert (await client("POST", PODS, POD)).status == 201
    return client


def adding(**container):
    return {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox", **container}]}}


async def patch(client, body):
    return await client("PATCH", EPHEMERAL, body, Content_Type=STRATEGIC)


async def test_containers_are_added_to_a_pod_with_defaults(web):
    """kubectl debug: a strategic merge patch, by name."""
    reply = await patch(web, adding(targetContainerName="app", stdin=True, tty=True))
    assert reply.status == 200
    (added,) = reply.document["spec"]["ephemeralContainers"]
    assert (added["name"], added["imagePullPolicy"]) == ("debug", "Always")
    more = await patch(web, {"spec": {"ephemeralContainers": [{"name": "two", "image": "x:1"}]}})
    names = [each["name"] for each in more.document["spec"]["ephemeralContainers"]]
    assert sorted(names) == ["debug", "two"]
    assert (await web("GET", EPHEMERAL)).document == (await web("GET", f"{PODS}/web")).document


async def test_nothing_else_of_the_pod_changes(web):
    body = {"metadata": {"labels": {"a": "b"}}, **adding()}
    body["spec"]["containers"] = [{"name": "app", "image": "other"}]
    document = (await patch(web, body)).document
    assert "labels" not in document["metadata"]
    assert document["spec"]["containers"][0]["image"] == "x"


async def test_what_was_added_is_neither_changed_nor_taken_away(web):
    await patch(web, adding())
    whole = (await web("GET", EPHEMERAL)).document
    changed = {**whole, "spec": {**whole["spec"], **adding(image="other")["spec"]}}
    reply = await web("PUT", EPHEMERAL, changed)
    assert reply.status == 422
    assert 'existing ephemeral containers "debug" may not be changed' in reply.document["message"]
    without = {**whole, "spec": {**whole["spec"], "ephemeralContainers": []}}
    reply = await web("PUT", EPHEMERAL, without)
    assert reply.status == 422
    assert 'existing ephemeral containers "debug" may not be removed' in reply.document["message"]
    assert (await web("PUT", EPHEMERAL, whole)).status == 200


async def test_a_stale_version_is_a_conflict(web):
    whole = (await web("GET", EPHEMERAL)).document
    await patch(web, adding())
    assert (await web("PUT", EPHEMERAL, whole)).status == 409


@pytest.mark.parametrize(
    ("container", "field"),
    [
        ({"ports": [{"containerPort": 80}]}, "spec.ephemeralContainers[0].ports"),
        (
            {"readinessProbe": {"tcpSocket": {"port": 1}}},
            "spec.ephemeralContainers[0].readinessProbe",
        ),
        ({"targetContainerName": "x"}, "spec.ephemeralContainers[0].targetContainerName"),
        ({"name": "app"}, "spec.ephemeralContainers[0].name"),
        ({"name": "Not A Name"}, "spec.ephemeralContainers[0].name"),
        ({"image": ""}, "spec.ephemeralContainers[0].image"),
    ],
)
async def test_what_such_a_container_cannot_be(web, container, field):
    reply = await patch(web, adding(**container))
    assert reply.status == 422
    assert field in [each["field"] for each in reply.document["details"]["causes"]]


@pytest.mark.parametrize("held", ["x", [1], {"a": 1}])
async def test_a_list_that_is_none_is_refused_in_words(web, held):
    whole = (await web("GET", EPHEMERAL)).document
    body = {**whole, "spec": {**whole["spec"], "ephemeralContainers": held}}
    assert (await web("PUT", EPHEMERAL, body)).status in (400, 422)


async def test_resize_stores_resources_and_nothing_else(web):
    resources = {"requests": {"cpu": "500m"}, "limits": {"cpu": "2"}}
    body = {"spec": {"containers": [{"name": "app", "image": "other", "resources": resources}]}}
    reply = await web("PATCH", f"{PODS}/web/resize", body, Content_Type=STRATEGIC)
    assert reply.status == 200
    (container,) = reply.document["spec"]["containers"]
    assert (container["image"], container["resources"]) == ("x", resources)


async def test_a_resize_that_makes_no_sense_is_refused(web):
    resources = {"requests": {"cpu": "4"}, "limits": {"cpu": "2"}}
    body = {"spec": {"containers": [{"name": "app", "resources": resources}]}}
    reply = await web("PATCH", f"{PODS}/web/resize", body, Content_Type=STRATEGIC)
    assert reply.status == 422
