"""The ten scenarios in order, and the choice among them.

To add one: write `scenarios/TOPIC.py` with a `SCENARIO` and put it into `SCENARIOS`.
Pure: text in, scenarios out.
"""

from collections.abc import Sequence

from cluster.cli.demo.scenario import Scenario
from cluster.cli.demo.scenarios import (
    containers,
    datagrams,
    endpoints,
    failures,
    load_balancer,
    names,
    node_port,
    pod_to_pod,
    policy,
    symptoms,
)
from cluster.errors import ConfigError

SCENARIOS: tuple[Scenario, ...] = (
    load_balancer.SCENARIO,
    node_port.SCENARIO,
    names.SCENARIO,
    pod_to_pod.SCENARIO,
    containers.SCENARIO,
    endpoints.SCENARIO,
    policy.SCENARIO,
    symptoms.SCENARIO,
    datagrams.SCENARIO,
    failures.SCENARIO,
)


def chosen(text: str, scenarios: Sequence[Scenario] = SCENARIOS) -> list[Scenario]:
    """Those of "3,7-9", in the programme's order; all of them for an empty text."""
    if not text:
        return list(scenarios)
    wanted = {number for part in text.split(",") for number in _numbers(part.strip(), text)}
    there = {each.number for each in scenarios}
    if not wanted <= there:
        unknown = ", ".join(str(number) for number in sorted(wanted - there))
        raise ConfigError(f"--only {text}: there is no scenario {unknown}; `--list` shows them")
    return [each for each in scenarios if each.number in wanted]


def _numbers(part: str, text: str) -> range:
    first, dash, last = part.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise ConfigError(f"--only {text}: {part!r} is neither a number nor a range such as 3-5")
    return range(int(first), int(last or first) + 1)


def listed(scenarios: Sequence[Scenario] = SCENARIOS) -> str:
    """One line each."""
    return "\n".join(f"{each.number:>3}  {each.title}" for each in scenarios)
