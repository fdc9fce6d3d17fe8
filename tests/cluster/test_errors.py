"""The exception tree."""

import pytest

from cluster.errors import ApiError, ClusterError, ConfigError, PoolExhausted, WireError


@pytest.mark.parametrize("kind", [ConfigError, WireError, PoolExhausted])
def test_everything_raised_on_purpose_has_one_root(kind: type[Exception]):
    with pytest.raises(ClusterError, match=r"^node-9 is not a node$"):
        raise kind("node-9 is not a node")


def test_an_api_error_says_what_the_api_said():
    status = {"message": 'pods "a" not found', "code": 404, "reason": "NotFound"}
    error = ApiError(status)
    assert isinstance(error, ClusterError)
    assert (str(error), error.code, error.reason) == ('pods "a" not found', 404, "NotFound")
    assert error.status == status


def test_an_api_error_keeps_a_status_of_its_own():
    status = {"message": "no"}
    error = ApiError(status)
    status["message"] = "changed"
    assert error.status == {"message": "no"}


def test_a_status_that_says_nothing_is_an_internal_error():
    error = ApiError({})
    assert (str(error), error.code, error.reason) == ("the API gave no message", 500, "")
