"""One module of the package loaded from a changed syntax tree, the rest as it is."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "symderiv"


def module_name(file: str) -> str:
    """``calculus/losses.py`` as a module."""
    return "symderiv." + file.removesuffix(".py").replace("/", ".")


def forget() -> None:
    """Drop the package and its tests from the modules loaded, so that they are loaded anew."""
    for name in [n for n in sys.modules if n.split(".")[0] in ("symderiv", "tests")]:
        if name != "tests" and not name.startswith("tests.mutation"):
            del sys.modules[name]


class Overlay(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and executes the tree that it was given."""

    def __init__(self, file: str, tree: ast.Module) -> None:
        self._name, self._path = module_name(file), PACKAGE / file
        self._code: CodeType = compile(tree, str(self._path), "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the changed module, None for every other."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        exec(self._code, module.__dict__)


def install(file: str, tree: ast.Module) -> None:
    """From now on the module is the changed one; nothing of the package may be loaded yet."""
    forget()
    sys.meta_path.insert(0, Overlay(file, tree))
