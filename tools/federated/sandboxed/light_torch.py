"""Imports torch with fewer system calls.

A sandbox's supervisor looks at most of them, some 90 microseconds each; as it is, ``import torch``
with a first step of an optimiser makes fifty thousand, in each of a trial's three programs.
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
    """Stands in for torch's compiler, a thousand modules; optimisers only tell it to look away.

    It gives way to the real one as soon as more is wanted of it, which torchvision does.
    """

    def disable(self, function: Any, *_: Any, **__: Any) -> Any:
        return function

    def graph_break(self) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        # A module is asked for many names with underscores; the path alone means an import.
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        if sys.modules.get(_COMPILER) is self:
            del sys.modules[_COMPILER]
            delattr(sys.modules["torch"], "_dynamo")
        return getattr(importlib.import_module(_COMPILER), name)


def import_torch() -> None:
    """Import torch without its compiler, which no slot may use."""
    lstat = os.lstat
    # While torch is imported, inspect resolves the path of each module, folder by folder.
    os.lstat = functools.cache(lstat)  # type: ignore[assignment]
    try:
        import torch
    finally:
        os.lstat = lstat
    compiler = _Compiler(_COMPILER)
    sys.modules[_COMPILER] = compiler
    setattr(torch, "_dynamo", compiler)  # noqa: B010 - mypy knows the real one
