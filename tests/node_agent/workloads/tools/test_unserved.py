"""Tools that cannot be: they say so."""

from typing import Any

import pytest

from node_agent.workloads.tools.names import TOOLS
from node_agent.workloads.tools.unserved import INSTEAD


@pytest.mark.parametrize("name", sorted(INSTEAD))
async def test_each_names_what_to_use(container: Any, name: str) -> None:
    assert TOOLS[name] == "unserved"
    result = await container.run(name, "-i", "eth0")
    assert result.code == 1
    assert result.err == f"{name}: not served here: {INSTEAD[name]}\n"
