"""What would do nothing where people count on it is refused."""

from control.resources.validation import unserved


def test_webhooks_are_refused_and_an_empty_configuration_is_not() -> None:
    (cause,) = unserved.webhook_causes({"webhooks": [{"name": "a.example.com"}]})
    assert cause.field == "webhooks"
    assert cause.message == "Forbidden: this API server calls no admission webhooks"
    assert list(unserved.webhook_causes({"webhooks": []})) == []


def test_policies_are_refused_whatever_they_say() -> None:
    (cause,) = unserved.policy_causes({"spec": {}})
    assert cause.message == "Forbidden: this API server runs no admission policies"


def test_an_api_service_that_somebody_else_answers_is_refused() -> None:
    (cause,) = unserved.api_service_causes({"spec": {"service": {"name": "metrics"}}})
    assert cause.field == "spec.service"
    assert list(unserved.api_service_causes({"spec": {"group": "apps", "version": "v1"}})) == []
