"""What an audit log says of a client's ways."""

from tests.processes.battery.requests import described


def test_requests_that_differ_in_names_and_moments_are_one() -> None:
    def line(uri: str, verb: str = "list") -> dict[str, object]:
        about = {"resource": "deployments", "apiGroup": "apps", "apiVersion": "v1"}
        return {
            "verb": verb,
            "requestURI": f"/apis/apps/v1/namespaces/a/deployments{uri}",
            "objectRef": about,
            "annotations": {"kubehop.dev/accept": "application/json"},
        }

    assert described([line("?limit=500"), line("?limit=500"), line("/web?timeout=3s", "get")]) == [
        "get  apps/deployments  timeout=*  sends -  reads application/json",
        "list  apps/deployments  limit=500  sends -  reads application/json",
    ]
    watches = [line(f"?watch=true&resourceVersion={number}", "watch") for number in (1, 2)]
    assert len(described(watches)) == 1
