"""EndpointSlices and Endpoints: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.endpoints import (
    endpoints_causes,
    slice_causes,
    slice_update_causes,
)


def told(**document: Any) -> list[str]:
    held = {"addressType": "IPv4", "endpoints": [], "ports": [], **document}
    return [f"{each.field}: {each.message}" for each in slice_causes(held)]


def told_of(address: str, kind: str = "IPv4") -> list[str]:
    return told(addressType=kind, endpoints=[{"addresses": [address]}])


def port(**more: Any) -> dict[str, Any]:
    return {"name": "", "protocol": "TCP", "port": 80, **more}


def test_what_is_fine() -> None:
    ports = [port(), port(name="b"), {"name": "all"}]
    assert told(endpoints=[{"addresses": ["10.244.1.2"], "hostname": "a"}], ports=ports) == []
    assert told_of("fd00::1", "IPv6") == told_of("example.com", "FQDN") == []


def test_a_slice_holds_one_type_of_address() -> None:
    """S-145."""
    assert told(addressType="") == ["addressType: Required value"]
    assert told(addressType="IP") == [
        'addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"'
    ]
    (cause,) = slice_update_causes({"addressType": "IPv6"}, {"addressType": "IPv4"})
    assert (cause.field, cause.message) == (
        "addressType",
        'Invalid value: "IPv6": field is immutable',
    )
    assert list(slice_update_causes({"addressType": "IPv4"}, {"addressType": "IPv4"})) == []


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ("fd00::1", "IPv4", "must be a valid IPv4 address, (e.g. 10.9.8.7)"),
        ("10.0.0.1", "IPv6", "must be a valid IPv6 address, (e.g. 2001:db8::ffff)"),
        ("x", "IPv4", "must be a valid IPv4 address, (e.g. 10.9.8.7)"),
        ("127.0.0.1", "IPv4", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("0.0.0.0", "IPv4", "may not be unspecified (0.0.0.0)"),
        ("169.254.0.1", "IPv4", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (
            "224.0.0.7",
            "IPv4",
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
        ("::1", "IPv6", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("::", "IPv6", "may not be unspecified (::)"),
    ],
)
def test_addresses_are_of_that_type_and_somebodys(address: str, kind: str, words: str) -> None:
    """S-146."""
    assert told_of(address, kind) == [
        f'endpoints[0].addresses[0]: Invalid value: "{address}": {words}'
    ]


def test_limits() -> None:
    """S-145."""
    one = {"addresses": ["10.0.0.1"]}
    assert told(endpoints=[one] * 1001) == [
        "endpoints: Too many: 1001: must have at most 1000 items"
    ]
    assert told(endpoints=[one] * 1000) == []
    assert told(ports=[port(name=f"p{n}") for n in range(101)]) == [
        "ports: Too many: 101: must have at most 100 items"
    ]
    assert told(endpoints=[{"addresses": ["10.0.0.1"] * 101}]) == [
        "endpoints[0].addresses: Too many: 101: must have at most 100 items"
    ]
    assert told(endpoints=[{"addresses": []}]) == [
        "endpoints[0].addresses: Required value: must contain at least 1 address"
    ]


def test_port_names_differ() -> None:
    """S-145."""
    assert told(ports=[port(), port(port=81)]) == ['ports[1].name: Duplicate value: ""']
    assert told(ports=[port(name="A")])[0].startswith("ports[0].name: Invalid value")
    assert told(ports=[port(protocol="X")])[0].startswith("ports[0].protocol: Unsupported value")
    assert told(ports=[port(port=0)])[0].startswith("ports[0].port: Invalid value: 0")


def test_a_hostname_is_a_label() -> None:
    (cause,) = told(endpoints=[{"addresses": ["10.0.0.1"], "hostname": "a.b"}])
    assert cause.startswith("endpoints[0].hostname: Invalid value")


def test_endpoints() -> None:
    def fields(**subset: Any) -> list[str]:
        return [each.field for each in endpoints_causes({"subsets": [subset]})]

    addresses = [{"ip": "10.0.0.1"}]
    assert fields(addresses=addresses, ports=[{"port": 80}]) == []
    assert fields(notReadyAddresses=addresses) == []
    assert fields() == ["subsets[0]"]
    assert fields(addresses=[{"ip": "x"}]) == ["subsets[0].addresses[0].ip"]
    assert fields(addresses=addresses, ports=[{"port": 0}]) == ["subsets[0].ports[0].port"]
    two = [{"port": 80}, {"port": 81, "name": "b"}]
    assert fields(addresses=addresses, ports=two) == ["subsets[0].ports[0].name"]
    assert list(endpoints_causes({})) == []
