"""What is in the volumes that the API fills."""

from base64 import b64encode

import pytest

from cluster.errors import ConfigError
from node_agent.kubelet.environment import Source, Surroundings
from node_agent.kubelet.volume_content import (
    FileContent,
    Known,
    TokenWish,
    content,
    data_of,
    is_filled,
    sources_of,
    tokens_of,
)

CONFIG, SECRET = Source("configmap", "c"), Source("secret", "s")
POD = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"b": "2", "a": 'say "x"\n'},
        "annotations": {},
    },
    "spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "250m"}}}]},
}
KNOWN = Known(
    sources={CONFIG: {"one": b"1", "two": b"2"}, SECRET: {"key": b"\xff"}},
    tokens={TokenWish("", 3607): "token"},
    around=Surroundings(pod_ip="10.244.1.5", host_ip="172.30.0.1"),
)


def files(**volume):
    return content(POD, {"name": "v", **volume}, KNOWN)


def test_all_keys_with_the_default_mode():
    assert files(configMap={"name": "c", "defaultMode": 0o400}) == {
        "one": FileContent(b"1", 0o400),
        "two": FileContent(b"2", 0o400),
    }
    assert files(secret={"secretName": "s"}) == {"key": FileContent(b"\xff", 0o644)}


def test_items_choose_keys_paths_and_modes():
    items = [{"key": "two", "path": "d/zwei", "mode": 0o600}]
    assert files(configMap={"name": "c", "items": items}) == {"d/zwei": FileContent(b"2", 0o600)}


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({"configMap": {"name": "x"}}, 'configmap "x" not found'),
        ({"secret": {"secretName": "x"}}, 'secret "x" not found'),
        (
            {"configMap": {"name": "c", "items": [{"key": "x", "path": "x"}]}},
            "references non-existent config key: x",
        ),
        (
            {"secret": {"secretName": "s", "items": [{"key": "x", "path": "x"}]}},
            "references non-existent secret key: x",
        ),
        ({"projected": {"sources": [{"clusterTrustBundle": {}}]}}, "clusterTrustBundle is not"),
        ({"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "y"}}]}}, "fieldPath"),
    ],
)
def test_what_is_missing_is_said_as_the_kubelet_says_it(volume, text):
    with pytest.raises(ConfigError, match=text):
        files(**volume)


@pytest.mark.parametrize(
    "volume",
    [
        {"configMap": {"name": "x", "optional": True}},
        {"secret": {"secretName": "x", "optional": True}},
        {"configMap": {"name": "c", "optional": True, "items": [{"key": "x", "path": "x"}]}},
    ],
)
def test_what_is_optional_may_be_missing(volume):
    assert files(**volume) == {}


def test_the_downward_api():
    """P-14: fields, labels as text, resources."""
    made = files(
        downwardAPI={
            "items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
                {
                    "path": "cpu",
                    "resourceFieldRef": {
                        "containerName": "app",
                        "resource": "limits.cpu",
                        "divisor": "1m",
                    },
                },
            ]
        }
    )
    assert {path: each.data for path, each in made.items()} == {
        "labels": b'a="say \\"x\\"\\n"\nb="2"',
        "name": b"web",
        "cpu": b"250",
    }


def test_a_projected_volume_has_everything_in_one_place():
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "c", "items": [{"key": "one", "path": "ca.crt"}]}},
        {"secret": {"name": "s"}},
    ]
    volume = {"name": "v", "projected": {"sources": sources, "defaultMode": 0o440}}
    assert content(POD, volume, KNOWN) == {
        "token": FileContent(b"token", 0o440),
        "ca.crt": FileContent(b"1", 0o440),
        "key": FileContent(b"\xff", 0o440),
    }
    assert sources_of(volume) == {CONFIG, SECRET}
    assert tokens_of(volume) == {TokenWish("", 3607)}


def test_data_of_config_maps_and_secrets_are_bytes():
    binary = b64encode(b"\xff").decode()
    assert data_of("configmap", {"data": {"a": "ü"}, "binaryData": {"b": binary}}) == {
        "a": "ü".encode(),
        "b": b"\xff",
    }
    assert data_of("secret", {"data": {"b": binary}}) == {"b": b"\xff"}


def test_which_volumes_the_api_fills():
    assert is_filled({"name": "v", "secret": {}})
    assert not is_filled({"name": "v", "emptyDir": {}})
    assert not is_filled({"name": "v"})
