"""Names of a limited alphabet."""

from collections.abc import Callable

import pytest

from control.resources.validation import names

GOOD: list[tuple[Callable[[str], list[str]], list[str]]] = [
    (names.label_faults, ["a", "0", "a-b", "1a", "a" * 63]),
    (names.subdomain_faults, ["a", "a.b", "1.2", "a-b.c", ".".join(["a" * 50] * 4)]),
    (names.cron_job_faults, ["a.b", "a" * 52]),
    (names.wildcard_faults, ["*.a", "*.a.b"]),
    (names.path_segment_faults, ["system:node", "A b"]),
    (names.qualified_faults, ["a", "A.b_c-d", "example.com/Name", "a" * 63]),
    (names.label_value_faults, ["", "a", "A.b_c-d"]),
    (names.config_key_faults, ["a", ".a", "A_b.c-d", "tls.crt"]),
    (names.env_name_faults, ["A", "a.b-c", "1"]),
    (names.port_name_faults, ["http", "a1", "1a", "web-1"]),
]
BAD: list[tuple[Callable[[str], list[str]], list[str]]] = [
    (names.label_faults, ["", "A", "a.b", "-a", "a-", "a" * 64, "ä"]),
    (names.subdomain_faults, ["", ".a", "a.", "a..b", "A", "a_b", "a" * 254]),
    (names.cron_job_faults, ["A", "a" * 53]),
    (names.wildcard_faults, ["*", "*a.b", "a.*", "*.*.a"]),
    (names.path_segment_faults, [".", "..", "a/b", "a%b"]),
    (names.qualified_faults, ["", "/a", "a/", "a/b/c", "A/b", "-a", "a b", "a" * 64]),
    (names.label_value_faults, ["-", "a b", "a/b", "a" * 64]),
    (names.config_key_faults, ["", ".", "..", "..a", "a/b", "a" * 254]),
    (names.env_name_faults, ["", "a=b", "a\n", "ä"]),
    (names.port_name_faults, ["", "80", "HTTP", "a--b", "-a", "a-", "a" * 16]),
]


@pytest.mark.parametrize(("faults", "values"), GOOD)
def test_good_names_have_no_faults(faults: Callable[[str], list[str]], values: list[str]) -> None:
    assert {value: faults(value) for value in values if faults(value)} == {}


@pytest.mark.parametrize(("faults", "values"), BAD)
def test_bad_names_have_faults(faults: Callable[[str], list[str]], values: list[str]) -> None:
    assert [value for value in values if not faults(value)] == []


def test_faults_are_in_the_words_that_clients_know() -> None:
    assert names.label_faults("A") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', "
        "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]
    assert names.label_faults("a" * 64) == ["must be no more than 63 bytes"]
    assert names.port_faults(0) == ["must be between 1 and 65535, inclusive"]
    assert names.port_faults(65535) == []


def test_a_name_of_a_megabyte_is_refused_without_being_looked_at() -> None:
    assert names.subdomain_faults("a-" * (1 << 20)) == ["must be no more than 253 bytes"]
