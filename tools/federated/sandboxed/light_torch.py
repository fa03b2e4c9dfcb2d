"""Importing PyTorch with fewer system calls.

The sandbox's supervisor intercepts most of them, at about 90 microseconds each. A plain ``import
torch`` with a first optimiser step makes fifty thousand, in each of a trial's three programs.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from types import ModuleType
from typing import Any

_COMPILER = "torch._dynamo"


class _Compiler(ModuleType):
    """Stub of PyTorch's compiler, which has a thousand modules; optimisers only disable it.

    It replaces itself with the real compiler on any other use, such as by torchvision.
    """

    def disable(self, function: Any, *_: Any, **__: Any) -> Any:
        return function

    def graph_break(self) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        # Many dunder names are looked up on modules; only __path__ indicates an import.
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        if sys.modules.get(_COMPILER) is self:
            del sys.modules[_COMPILER]
            delattr(sys.modules["torch"], "_dynamo")
        return getattr(importlib.import_module(_COMPILER), name)


def import_torch() -> None:
    """Import PyTorch without its compiler, which no slot may use."""
    lstat = os.lstat
    # During the import, inspect resolves the path of each module, one lstat call per folder.
    os.lstat = functools.cache(lstat)  # type: ignore[assignment]
    try:
        import torch
    finally:
        os.lstat = lstat
    compiler = _Compiler(_COMPILER)
    sys.modules[_COMPILER] = compiler
    setattr(torch, "_dynamo", compiler)  # noqa: B010 - mypy knows the real type
