"""What a client saw instead of an answer."""

import pytest

from cluster.errors import ClusterError
from cluster.traffic.unreached import Symptom, Unreached


def test_a_symptom_is_told_with_its_words_and_its_flow() -> None:
    error = Unreached("refused", "frontend:80: connection refused", "4c1f9a2b7d3e6f80")
    assert error.kind is Symptom.REFUSED and error.kind == "refused"
    assert str(error) == error.message == "frontend:80: connection refused"
    assert error.flow_id == "4c1f9a2b7d3e6f80" and error.trace is None
    assert isinstance(error, ClusterError)


def test_a_symptom_that_no_client_can_have_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="bored"):
        Unreached("bored", "")
