"""Workload `python://module:attribute`: the user's own program, unmodified, inside the pod.

The attribute may be an aiohttp Application, an ASGI application, a coroutine function (with the
ContainerContext as its argument, or none), or a function that returns one of these. Applications
are served on --port, $PORT, the first declared port, or 8080. What a coroutine function returns is
the exit code, if it is a number.

Modules are found in the app directory (--app-dir). Each run of a container imports them anew
(`modules`): replicas and restarts share no module state, and each has an application object of its
own. Shared by all programs of a node are the standard library and installed packages. What an
import or the program raises is the container's failure: exit code 1, the traceback in the log and
in `state.terminated.message`.
"""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from aiohttp import web

from node_agent.workloads.asgi import serve_asgi
from node_agent.workloads.modules import app_directory
from node_agent.workloads.program import PROGRAM
from node_agent.workloads.serving import serve_app
from node_agent.workloads.workload import EXIT_FAILED, ContainerContext


async def run(ctx: ContainerContext) -> int:
    """Import, see what it is, run it."""
    return await _run_as_it_is(ctx, load(ctx.target))


def load(target: str) -> Any:
    """The program's attribute, its modules fresh; called inside the program that it becomes."""
    program = PROGRAM.get()
    assert program is not None, "a workload runs in a Program"
    program.modules = {}  # from here on its imports are its own
    importlib.invalidate_caches()  # its files may have changed since the run before
    module_name, _, attribute = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            directory = app_directory(program)
            error.add_note(f"looked for {module_name} in {directory}: --app-dir names another")
        raise
    for name in attribute.split("."):
        found = getattr(found, name)
    return found


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
