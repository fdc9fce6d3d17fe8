"""Modules of programs: each run of a container has its own, though a process has one sys.modules.

An import by a program (`python://`) first puts that program's modules into sys.modules, in place of
those of the program that imported last. So each run executes the modules of the app directory anew,
imports inside functions included, and two pods of one module share no globals of it.

A module is a program's own when it is Python source in the app directory. The standard library,
installed packages, extension modules and kubehop itself are shared by all programs of the node:
executing those again is slow, and some cannot bear it.
"""

import builtins
import importlib
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from node_agent.workloads.program import PROGRAM, Program

PROJECT = ("cluster", "control", "node_agent")  # never a program's own, wherever they lie
SHARED_DIRECTORIES = ("site-packages", "dist-packages")


class Importer:
    """Gives sys.modules to the program that imports."""

    def __init__(self) -> None:
        self._present: Program | None = None  # whose modules are in sys.modules
        self._lock = threading.RLock()  # programs import in executor threads too

    @contextmanager
    def importing(self, program: Program) -> Iterator[None]:
        """Meanwhile sys.modules and sys.path are those of the program."""
        directory = app_directory(program)
        with self._lock:
            self._switch_to(program)
            sys.path.insert(0, directory)
            try:
                yield
            finally:
                sys.path.remove(directory)

    def _switch_to(self, program: Program) -> None:
        if self._present is program:
            return
        self.withdraw()
        sys.modules.update(program.modules or {})
        self._present = program

    def withdraw(self) -> None:
        """Take the present program's modules out of sys.modules, into its own table."""
        program, self._present = self._present, None
        if program is not None:
            directory = app_directory(program)
            names = [
                name for name, each in list(sys.modules.items()) if owns(directory, name, each)
            ]
            program.modules = {name: sys.modules.pop(name) for name in names}


def install(importer: Importer) -> Callable[[], None]:
    """Make imports of programs go through the importer; the result undoes it."""
    plain_import, plain_import_module = builtins.__import__, importlib.import_module

    def import_statement(name: str, *arguments: Any, **options: Any) -> ModuleType:
        program = PROGRAM.get()
        if program is None or program.modules is None:
            return plain_import(name, *arguments, **options)
        with importer.importing(program):
            return plain_import(name, *arguments, **options)

    def import_module(name: str, package: str | None = None) -> ModuleType:
        program = PROGRAM.get()
        if program is None or program.modules is None:
            return plain_import_module(name, package)
        with importer.importing(program):
            return plain_import_module(name, package)

    builtins.__import__ = import_statement
    importlib.import_module = import_module

    def undo() -> None:
        builtins.__import__ = plain_import
        importlib.import_module = plain_import_module
        importer.withdraw()

    return undo


def app_directory(program: Program) -> str:
    """Where the program's modules lie, as sys.path has it."""
    return _resolved(program.ctx.app_dir or ".")


@lru_cache(maxsize=16)
def _resolved(directory: str) -> str:
    return str(Path(directory).resolve())


def owns(directory: str, name: str, module: Any) -> bool:
    """Whether a module is Python source in the directory, and not installed there."""
    if name.partition(".")[0] in PROJECT:
        return False
    places = _places(module)
    return bool(places) and all(_source_in(directory, each) for each in places)


def _places(module: Any) -> list[str]:
    """The file of a module; the directories of a package without __init__.py."""
    known = getattr(module, "__dict__", {})  # asking a lazy module itself may make it import
    file, spec = known.get("__file__"), known.get("__spec__")
    if file:
        return [str(file)]
    if spec is None or spec.origin is not None:  # made by hand, built in, frozen
        return []
    return [str(each) for each in known.get("__path__") or ()]


def _source_in(directory: str, place: str) -> bool:
    if not place.startswith(directory.rstrip(os.sep) + os.sep):
        return False
    if place.startswith(_installed_in(directory)) or Path(place).suffix not in (".py", ""):
        return False
    below = Path(place).relative_to(directory)
    return not any(part in SHARED_DIRECTORIES for part in below.parts)


@lru_cache(maxsize=16)
def _installed_in(directory: str) -> tuple[str, ...]:
    """Parts of the directory that are Python's own: its prefix or library may lie in it."""
    roots = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    roots |= {sys.prefix, sys.base_prefix}
    return tuple(root + os.sep for root in roots if root.startswith(directory + os.sep))
