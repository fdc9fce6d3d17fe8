"""Which module is which tool.

Pure: names. A module has `run`; of `module:function` it is that function. Modules are imported at
their first use.
"""

PACKAGE = "node_agent.workloads.tools"

TOOLS: dict[str, str] = {}
