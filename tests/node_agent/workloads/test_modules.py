"""Each run of a container has its own modules."""

import asyncio
import builtins
import importlib
import sys
import sysconfig
import types
from pathlib import Path
from types import SimpleNamespace

import pytest

from node_agent.workloads import modules


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return write


def importing(*names, then=None):
    """A program that imports by statement, and keeps what it got."""

    async def run(ctx):
        from node_agent.workloads.program import PROGRAM

        program = PROGRAM.get()
        program.modules = {} if program.modules is None else program.modules
        program.got = [importlib.import_module(name) for name in names]
        if then is not None:
            await then(program)
        return 0

    return SimpleNamespace(run=run)


async def got(pods, *names, **more):
    started = pods.start(importing(*names, **more))
    assert await started.exit_code() == 0, started.log.text()
    return started.program.got


async def test_two_runs_share_no_globals_of_a_module(pods, write):
    write("counter.py", "count = []")
    (one,), (two,) = await got(pods, "counter"), await got(pods, "counter")
    one.count.append(1)
    assert (one.count, two.count) == ([1], [])


async def test_modules_of_one_run_see_each_other(pods, write):
    write("parts/__init__.py", "")
    write("parts/state.py", "items = []")
    write("parts/front.py", "from parts import state\nfrom .state import items")
    front, state = await got(pods, "parts.front", "parts.state")
    assert front.state is state
    assert front.items is state.items


async def test_an_import_inside_a_function_gets_the_runs_own_module(pods, write):
    """The second program has imported in between: sys.modules held its modules last."""
    write("late.py", "def state():\n    import kept\n    return kept.items\n")
    write("kept.py", "items = []")
    turn, results = asyncio.Event(), {}

    async def first(program):
        await turn.wait()
        results["first"] = program.got[0].state(), program.got[1].items

    async def second(program):
        results["second"] = program.got[0].state(), program.got[1].items

    slow = pods.start(importing("late", "kept", then=first))
    await asyncio.sleep(0)
    await got(pods, "late", "kept", then=second)
    turn.set()
    assert await slow.exit_code() == 0, slow.log.text()
    assert results["first"][0] is results["first"][1]
    assert results["second"][0] is results["second"][1]
    assert results["first"][0] is not results["second"][0]


async def test_libraries_are_shared(pods, write):
    write("uses.py", "import json, aiohttp")
    (one,), (two,) = await got(pods, "uses"), await got(pods, "uses")
    assert one.json is two.json is sys.modules["json"]
    assert one.aiohttp is two.aiohttp


async def test_the_node_itself_never_imports_from_the_app_directory(pods, write, tmp_path):
    write("bystander.py", "")
    await got(pods, "bystander")
    assert str(tmp_path) not in sys.path
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("another_bystander")
    write("another_bystander.py", "")
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("another_bystander")


async def test_a_name_of_the_standard_library_stays_the_standard_librarys(pods, write):
    write("json.py", "mine = True")
    (found,) = await got(pods, "json")
    assert not hasattr(found, "mine")


def test_undoing_gives_everything_back(write, tmp_path):
    before = builtins.__import__, importlib.import_module
    importer = modules.Importer()
    undo = modules.install(importer)
    assert builtins.__import__ is not before[0]
    program = SimpleNamespace(ctx=SimpleNamespace(app_dir=str(tmp_path)), modules={})
    write("short_lived.py", "")
    with importer.importing(program):
        importlib.import_module("short_lived")
    undo()
    assert (builtins.__import__, importlib.import_module) == before
    assert "short_lived" not in sys.modules
    assert list(program.modules) == ["short_lived"]


def module_at(place, name="m"):
    made = types.ModuleType(name)
    made.__file__ = place
    return made


@pytest.mark.parametrize(
    ("name", "place", "own"),
    [
        ("shop.cart", "/app/shop/cart.py", True),
        ("shop", "/app/shop/__init__.py", True),
        ("shop", "/application/shop.py", False),
        ("aiohttp", "/app/.venv/lib/python3.11/site-packages/aiohttp/__init__.py", False),
        ("yaml", "/app/lib/dist-packages/yaml.py", False),
        ("fast", "/app/fast.cpython-311-x86_64-linux-gnu.so", False),
        ("cluster.errors", "/app/cluster/errors.py", False),
    ],
)
def test_what_belongs_to_a_program(name, place, own):
    assert modules.owns("/app", name, module_at(place)) is own


def test_an_app_directory_above_python_does_not_own_the_standard_library():
    stdlib = sysconfig.get_path("stdlib")
    assert not modules.owns(str(Path(stdlib).parents[1]), "enum", module_at(stdlib + "/enum.py"))


def test_modules_without_a_file_are_nobodys():
    assert not modules.owns("/app", "sys", sys)
    assert not modules.owns("/app", "made", types.ModuleType("made"))
    assert not modules.owns("/app", "gone", None)


async def test_a_package_without_init_is_the_programs_too(pods, write):
    write("loose/inner.py", "x = []")
    (one,), (two,) = await got(pods, "loose.inner"), await got(pods, "loose.inner")
    assert one.x is not two.x
