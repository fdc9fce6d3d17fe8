"""Resource quantities and resourceFieldRef."""

from fractions import Fraction

import pytest

from cluster.errors import ConfigError
from node_agent.kubelet.quantities import quantity, resource_field

CONTAINER = {
    "name": "app",
    "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}, "requests": {"cpu": "250m"}},
}
POD = {"spec": {"containers": [CONTAINER, {"name": "other"}]}}


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("250m", Fraction(1, 4)), ("64Mi", 64 << 20), ("1k", 1000), ("1e3", 1000), (2, 2)],
)
def test_quantities(text, number):
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["", "Mi", "1Zi", "one"])
def test_what_is_no_quantity(text):
    with pytest.raises(ConfigError):
        quantity(text)


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ({"resource": "limits.cpu"}, "2"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "1500"),
        ({"resource": "limits.memory", "divisor": "1Mi"}, "64"),
        ({"resource": "requests.cpu"}, "1"),
        ({"resource": "requests.memory"}, "0"),
        ({"resource": "limits.cpu", "containerName": "other"}, "0"),
    ],
)
def test_resource_fields_round_up_to_their_divisor(reference, value):
    """P-14."""
    assert resource_field(POD, CONTAINER, reference) == value


def test_a_container_that_is_not_there():
    with pytest.raises(ConfigError, match="nobody"):
        resource_field(POD, CONTAINER, {"resource": "limits.cpu", "containerName": "nobody"})
