"""The volume of a pod's ServiceAccount."""

import re

from control.resources.strategies.service_account_volume import MOUNT_PATH, with_token_volume


def pod(*containers, **spec):
    metadata = {"name": "web", "namespace": "shop", "uid": "0a1b2c3d-0000-4000-8000-00000000ffff"}
    given = [{"name": each, "image": "x"} for each in containers or ("app",)]
    return {"metadata": metadata, "spec": {"containers": given, **spec}}


def test_each_container_gets_token_ca_and_namespace():
    spec = with_token_volume(pod("a", "b", initContainers=[{"name": "i"}]), None)["spec"]
    (volume,) = spec["volumes"]
    assert re.fullmatch(r"kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}", volume["name"])
    paths = [
        source["path"] if key == "serviceAccountToken" else source["items"][0]["path"]
        for each in volume["projected"]["sources"]
        for key, source in each.items()
    ]
    assert paths == ["token", "ca.crt", "namespace"]
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH}
    for container in [*spec["containers"], *spec["initContainers"]]:
        assert container["volumeMounts"] == [mount]


def test_the_pods_word_counts_before_its_accounts():
    no, yes = {"automountServiceAccountToken": False}, {"automountServiceAccountToken": True}
    assert with_token_volume(pod(**no), yes) == pod(**no)
    assert with_token_volume(pod(), no) == pod()
    assert "volumes" in with_token_volume(pod(**yes), no)["spec"]


def test_a_container_with_a_mount_of_its_own_there_keeps_it():
    own = {"name": "mine", "mountPath": MOUNT_PATH + "/"}
    given = pod()
    given["spec"]["containers"][0]["volumeMounts"] = [own]
    assert with_token_volume(given, None) == given


def test_two_pods_have_volumes_of_different_names():
    other = pod()
    other["metadata"]["uid"] = "0a1b2c3d-0000-4000-8000-00000000fffe"
    names = {with_token_volume(each, None)["spec"]["volumes"][0]["name"] for each in (pod(), other)}
    assert len(names) == 2
