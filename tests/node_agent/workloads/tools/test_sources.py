"""What text tools read."""

import pytest

from node_agent.workloads.tools import sources
from node_agent.workloads.tools.process import Bytes


async def test_a_dash_is_standard_input_among_files(container):
    container.put("/tmp/a", "from a\n")
    result = await container.run("cat", "/tmp/a", "-", "/tmp/a", stdin="from stdin\n")
    assert result.out == "from a\nfrom stdin\nfrom a\n"


async def test_what_cannot_be_read_is_said_and_the_rest_goes_on(container):
    container.put("/tmp/a", "here\n")
    result = await container.run("cat", "/tmp/none", "/tmp/a", "/tmp")
    assert (result.code, result.out) == (1, "here\n")
    assert result.err.splitlines() == [
        "cat: /tmp/none: No such file or directory",
        "cat: /tmp: Is a directory",
    ]


async def test_a_tool_that_holds_all_of_its_input_has_a_limit(container, monkeypatch):
    monkeypatch.setattr(sources, "MEMORY_BYTES_MAX", 1000)
    assert (await container.run("sort", stdin=b"x\n" * 15)).code == 0
    result = await container.run("sort", stdin=b"x\n" * 200)
    assert (result.code, result.err) == (1, "sort: Cannot allocate memory\n")
    with pytest.raises(sources.TooMuch):
        await sources.everything(Bytes(b"x" * 1001))
