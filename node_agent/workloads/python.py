"""Workload `python://module:attribute`: the user's own program, unmodified, inside the pod.

The attribute may be an aiohttp Application, an ASGI application, a coroutine function (with the
ContainerContext as its argument, or none), or a function that returns one of these. Applications
are served on --port, $PORT, the first declared port, or 8080.

Each run of a container imports the program afresh, so two replicas on one node share no module
state; modules from outside --app-dir are shared. What fails while importing is in the log.
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from node_agent.workloads.asgi import serve_asgi
from node_agent.workloads.serving import serve_app
from node_agent.workloads.workload import EXIT_FAILED, ContainerContext

_private: set[str] = set()  # modules that programs brought in: forgotten before the next import


async def run(ctx: ContainerContext) -> int:
    """Import, see what it is, run it."""
    return await _run_as_it_is(ctx, load(ctx.target, ctx.app_dir))


def load(target: str, app_dir: str) -> Any:
    """The program's attribute, its modules fresh."""
    directory = str(Path(app_dir or ".").resolve())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    for name in _private:
        sys.modules.pop(name, None)
    _private.clear()
    importlib.invalidate_caches()
    before = set(sys.modules)
    module_name, _, attribute = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    finally:
        _private.update(
            name for name in set(sys.modules) - before if _lies_in(sys.modules[name], directory)
        )
    for name in attribute.split("."):
        found = getattr(found, name)
    return found


def _lies_in(module: Any, directory: str) -> bool:
    places = [getattr(module, "__file__", None) or "", *(getattr(module, "__path__", None) or ())]
    return any(place.startswith(directory + "/") for place in places)


async def _run_as_it_is(ctx: ContainerContext, program: Any) -> int:
    if isinstance(program, web.Application):
        return await serve_app(ctx, program, [ctx.port()])
    if is_asgi(program):
        return await serve_asgi(ctx, program, ctx.port())
    if not callable(program):
        return _cannot_run(ctx, program)
    wanted = _required(program)
    if wanted > 1:
        return _cannot_run(ctx, program)
    result = program(ctx) if wanted == 1 else program()
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, web.Application) or callable(result):
        return await _run_as_it_is(ctx, result)
    return result if isinstance(result, int) else 0


def is_asgi(program: Any) -> bool:
    """Whether a callable takes (scope, receive, send) and is to be awaited (ASGI 3)."""
    if inspect.isclass(program) or not callable(program):
        return False
    call = program if inspect.isroutine(program) else program.__call__
    return inspect.iscoroutinefunction(call) and _required(call) == 3


def _required(call: Callable[..., Any]) -> int:
    """How many positional arguments a call needs."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(
        each.kind in kinds and each.default is inspect.Parameter.empty
        for each in inspect.signature(call).parameters.values()
    )


def _cannot_run(ctx: ContainerContext, program: Any) -> int:
    print(
        f"python://{ctx.target} is a {type(program).__name__}: expected an aiohttp Application, an "
        "ASGI application, a coroutine function, or a function that returns one of these",
        file=ctx.stderr,
    )
    return EXIT_FAILED
