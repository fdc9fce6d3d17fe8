"""Which workload an image name stands for."""

import importlib

import pytest

from cluster.errors import ConfigError
from node_agent.workloads.images import BUILT_IN, Alias, Image, repository, resolve


@pytest.mark.parametrize(
    ("image", "workload"),
    [
        ("echo", "echo"),
        ("http:1.0", "http"),
        ("coredns", "coredns"),
        ("registry.k8s.io/coredns/coredns:v1.12.1", "coredns"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.53", "agnhost"),
        ("registry.k8s.io/pause:3.10", "pause"),
        ("hashicorp/http-echo", "http"),
        ("ealen/echo-server:latest", "echo"),
        ("localhost:5000/mendhak/http-https-echo@sha256:0", "echo"),
        ("nginx", "stand-in"),
        ("library/redis:7", "stand-in"),
        ("shop/echo", "stand-in"),
        ("python:3.12", "stand-in"),
    ],
)
def test_an_image_is_a_built_in_by_its_name_or_a_stand_in(image, workload):
    found = resolve(image)
    assert found == Image(workload)
    assert found.stand_in is (workload == "stand-in")


def test_a_program_is_named_by_module_and_attribute():
    assert resolve("python://shop.cart:app") == Image("python", "shop.cart:app")
    assert resolve("python://shop.cart:factory.app").target == "shop.cart:factory.app"


@pytest.mark.parametrize("image", ["", " nginx", "my image", "python://", "python://shop.cart"])
def test_a_name_that_cannot_be_one_says_so(image):
    with pytest.raises(ConfigError, match="couldn't parse image name"):
        resolve(image)


def test_the_first_alias_that_matches_wins_over_everything():
    aliases = [
        Alias.parse("registry.example/cart:*=python://shop.cart:app"),
        Alias.parse("registry.example/*=http"),
        Alias.parse("echo=tcp"),
    ]
    assert resolve("registry.example/cart:2", aliases).target == "shop.cart:app"
    assert resolve("registry.example/other", aliases) == Image("http")
    assert resolve("echo", aliases) == Image("tcp")
    assert resolve("nginx", aliases) == Image("stand-in")


@pytest.mark.parametrize("text", ["cart", "cart=", "=echo"])
def test_an_alias_is_pattern_and_workload(text):
    with pytest.raises(ConfigError, match="is not PATTERN=WORKLOAD"):
        Alias.parse(text)


def test_an_alias_of_an_unknown_workload_names_the_known_ones():
    with pytest.raises(ConfigError, match="there is no workload 'nginx'; there are agnhost, "):
        Alias.parse("cart=nginx")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx:1.27", "nginx"),
        ("quay.io/a/b:1@sha256:ff", "a/b"),
        ("localhost/a", "a"),
        ("host:5000/a/b", "a/b"),
        ("team/a:tag", "team/a"),
    ],
)
def test_the_repository_is_the_name_without_registry_tag_and_digest(image, name):
    assert repository(image) == name


@pytest.mark.parametrize("workload", sorted(BUILT_IN))
def test_every_built_in_has_a_module_that_runs(workload):
    assert callable(importlib.import_module(Image(workload).module).run)
