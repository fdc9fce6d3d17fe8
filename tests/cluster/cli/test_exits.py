"""Exit statuses: what they are, that they are documented, which error means which."""

import re
from pathlib import Path

import pytest

from cluster.cli import exits
from cluster.cli.exits import FAILED, MISUSED, failure_of
from cluster.errors import ApiError, ClusterError, ConfigError, PoolExhausted

DOCUMENT = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
STATUSES = {name: value for name, value in vars(exits).items() if isinstance(value, int)}


def test_each_status_is_documented_and_no_other():
    documented = {int(text) for text in re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE)}
    assert documented == set(STATUSES.values())
    assert len(set(STATUSES.values())) == len(STATUSES)


def test_each_status_is_in_the_modules_own_table():
    table = {int(text) for text in re.findall(r"(?:^|  )(\d+)  ", exits.__doc__ or "", re.M)}
    assert table == set(STATUSES.values())


def test_curls_own_are_curls():
    assert {name: STATUSES[name] for name in ("NAME_UNKNOWN", "REFUSED", "TIMED_OUT", "RESET")} == {
        "NAME_UNKNOWN": 6,
        "REFUSED": 7,
        "TIMED_OUT": 28,
        "RESET": 56,
    }


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ConfigError("no such node"), MISUSED, "no such node"),
        (ClusterError("not settled"), FAILED, "not settled"),
        (PoolExhausted("no address left"), FAILED, "no address left"),
        (
            ApiError({"code": 403, "message": "pods is forbidden"}),
            FAILED,
            "the API server says: pods is forbidden",
        ),
        (
            ConnectionRefusedError(111, "Connection refused"),
            FAILED,
            "[Errno 111] Connection refused. Is the control plane running? `kubehop status` says; "
            "it is restarted by itself, so try again",
        ),
        (FileNotFoundError(2, "No such file"), FAILED, "[Errno 2] No such file"),
    ],
)
def test_an_error_that_people_can_act_on_has_a_status_and_a_text(error, status, text):
    assert failure_of(error) == (status, text)


def test_a_time_out_without_a_word_is_called_one():
    failure = failure_of(TimeoutError())
    assert failure is not None
    assert failure[1].startswith("TimeoutError. Is the control plane running?")


def test_anything_else_is_a_bug_of_ours():
    assert failure_of(KeyError("spec")) is None
    assert failure_of(AssertionError()) is None
