"""The shape of the code: layers, purity, sizes, docstrings, and a test file for each module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cluster", "node_agent", "control")

# From the top: each layer may import those below it, and itself; neighbours stay strangers.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("cluster.cli", "cluster.testing", "cluster.__main__"),
    ("cluster.launcher",),
    ("node_agent", "control", "cluster.gateway"),
    ("cluster.dns",),
    ("cluster.traffic",),
    ("cluster.client", "cluster.trace"),
    ("cluster.aio",),
    ("cluster.dataplane",),
    ("cluster.objects", "cluster.ipam"),
    ("cluster.wire",),
    ("cluster.errors", "cluster.dataclass"),
)
# The zygote imports every process once, so that it can fork them; `python -m cluster` is the CLI.
UPWARD = {"cluster.launcher.zygote"}

IMPURE = {
    "aiohttp",
    "asyncio",
    "logging",
    "random",
    "select",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "uvloop",
}
# Names of pure modules' imports that only name things: error numbers, address parsing.
PURE_ANYWAY = {
    ("cluster.wire.addresses", "socket"),
    ("node_agent.cni.interface", "socket"),
    ("node_agent.cni.resolution", "socket"),
}

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
UNTESTED = {"__init__", "__main__", "config", "interface", "settings"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


MODULES = dict(modules())
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def layer_of(module: str) -> int | None:
    for index, members in enumerate(LAYERS):
        if any(module == each or module.startswith(each + ".") for each in members):
            return index
    return None


def imports_of(module: str) -> Iterator[tuple[str, int]]:
    """What a module imports, but for what only type checkers see."""
    for node in _runtime_nodes(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in MODULES else node.module), node.lineno


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _runtime_nodes(child)


def pure(module: str) -> bool:
    return "Pure:" in (ast.get_docstring(TREES[module]) or "")


def test_every_module_has_a_layer() -> None:
    homeless = [name for name in MODULES if layer_of(name) is None and name != "cluster"]
    assert homeless == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_the_layers(module: str) -> None:
    if module in UPWARD or module == "cluster":
        return
    own = layer_of(module)
    assert own is not None
    for imported, line in imports_of(module):
        if imported.split(".")[0] not in PACKAGES or imported == "cluster":
            continue
        other = layer_of(imported)
        assert other is not None, f"{module}:{line} imports {imported}, which has no layer"
        assert other >= own, f"{module}:{line} imports {imported}, which lies above it"
        if other == own and own == 2:
            assert imported.split(".")[:2] == module.split(".")[:2] or (
                imported.split(".")[0] == module.split(".")[0] != "cluster"
            ), f"{module}:{line}: neighbours stay strangers: {imported}"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if pure(name)))
def test_a_pure_module_does_no_io(module: str) -> None:
    for imported, line in imports_of(module):
        root = imported.split(".")[0]
        if (module, root) in PURE_ANYWAY:
            continue
        assert root not in IMPURE, f"{module}:{line} is pure but imports {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_is_documented_and_of_a_size_to_read(module: str) -> None:
    path = MODULES[module]
    lines = path.read_text().count("\n")
    assert lines <= MODULE_LINES_MAX, f"{path}: {lines} lines, the limit is {MODULE_LINES_MAX}"
    if lines:
        assert ast.get_docstring(TREES[module]), f"{path} has no docstring"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{path}:{node.lineno} {node.name}: {length} lines"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_with_logic_has_a_test_file(module: str) -> None:
    path = MODULES[module]
    has_logic = any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(TREES[module])
    )
    if not has_logic or path.stem in UNTESTED or "data" in path.parts:
        return
    relative = path.relative_to(ROOT)
    beside = ROOT / "tests" / relative.parent / f"test_{path.stem}.py"
    together = ROOT / "tests" / relative.parent.parent / f"test_{relative.parent.name}.py"
    assert beside.exists() or together.exists(), f"{relative} has no {beside.relative_to(ROOT)}"
