"""Static checks of a slot's source before it runs: allowed syntax, imports and the signature.

This is not a security boundary (the sandbox is). It turns most mistakes into messages that a coder
can act on within milliseconds, and rejects code that the sandbox would refuse anyway.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from edgewright.tools.federated.records.candidate import SIGNATURES, Candidate, CodeSlot
from edgewright.tools.sandbox.faults import Fault

#: Modules that slots may import, including their submodules.
MODULES = (
    "__future__",
    "collections.abc",
    "edgewright.tools.federated.app.backbones",
    "functools",
    "math",
    "torch",
    "torchvision.models",
    "torchvision.ops",
    "torchvision.transforms",
    "typing",
)
#: Modules of the standard library whose names are also those of tensor operations, or harmless.
_HARMLESS_MODULES = frozenset({
    "array", "code", "copy", "functools", "math", "numbers", "operator", "profile", "random",
    "select", "signal", "statistics", "string", "symbol", "test", "token", "trace", "types",
    "typing",
})  # fmt: skip
#: Parts of PyTorch that access files, networks, processes or pickles, and the modules of the
#: standard library, which many packages expose by importing them.
_FORBIDDEN_ATTRIBUTES = frozenset({
    "hub", "load", "save", "jit", "package", "multiprocessing", "distributed", "classes", "ops",
    "utils", "compile", "from_file", "serialization", "export", "onnx", "library", "_C",
    "posix", "nt", "modules", *(sys.stdlib_module_names - _HARMLESS_MODULES),
})  # fmt: skip
_FORBIDDEN_NAMES = frozenset({
    "exec", "eval", "compile", "open", "input", "breakpoint", "exit", "quit", "globals", "locals",
    "vars", "getattr", "setattr", "delattr", "memoryview", "help", "print",
})  # fmt: skip
_ALLOWED_DUNDERS = frozenset(
    {"__init__", "__len__", "__call__", "__getitem__", "__class__", "__name__"}
)
_TOP_LEVEL_NODES = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
_ALLOWED_NODES = (
    *_TOP_LEVEL_NODES, ast.AugAssign, ast.Return, ast.If, ast.For, ast.While, ast.Break,
    ast.Continue, ast.Pass,
    ast.Expr, ast.With, ast.withitem, ast.Raise, ast.Assert, ast.Try, ast.ExceptHandler, ast.Lambda,
    ast.Yield, ast.YieldFrom, ast.arguments, ast.arg, ast.keyword, ast.alias, ast.Delete,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.NamedExpr, ast.Call,
    ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Name, ast.Constant, ast.JoinedStr,
    ast.FormattedValue, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.expr_context, ast.boolop, ast.operator,
    ast.unaryop, ast.cmpop, ast.Module,
)  # fmt: skip


def check_source(candidate: Candidate) -> list[Fault]:
    """Check all code slots; return at most one fault per slot, the first in its source."""
    faults = (_check_slot(slot, candidate.code(slot)) for slot in SIGNATURES)
    return [fault for fault in faults if fault is not None]


def _check_slot(slot: CodeSlot, source: str) -> Fault | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 0) or 0
        reason = getattr(error, "msg", None) or str(error) or type(error).__name__
        return Fault(code="syntax", slot=slot, line=line, message=f"it does not parse: {reason}")
    for line, reason in _forbidden(tree):
        return Fault(code="forbidden", slot=slot, line=line, message=reason)
    return _check_signature(slot, tree)


def _forbidden(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for statement in tree.body:
        if not isinstance(statement, _TOP_LEVEL_NODES) and not _is_docstring(statement):
            yield (
                statement.lineno,
                "only imports, functions, classes and constants are allowed at module level",
            )
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if not isinstance(node, _ALLOWED_NODES):
            yield line, f"'{type(node).__name__}' is not allowed in a slot"
        elif isinstance(node, ast.Import):
            yield from (
                (line, _import_error(a.name)) for a in node.names if not _is_allowed_module(a.name)
            )
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (line, _import_error(name))
                for name in _imported(node)
                if not _is_allowed_module(name)
            )
        elif isinstance(node, ast.Name) and (
            node.id in _FORBIDDEN_NAMES or _is_forbidden_dunder(node.id)
        ):
            yield line, f"the name '{node.id}' is not allowed in a slot"
        elif isinstance(node, ast.Attribute) and (
            node.attr in _FORBIDDEN_ATTRIBUTES or _is_forbidden_dunder(node.attr)
        ):
            yield line, f"the attribute '{node.attr}' is not allowed in a slot"


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _imported(node: ast.ImportFrom) -> list[str]:
    if node.level or node.module is None:
        return ["."]
    return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def _is_allowed_module(name: str) -> bool:
    allowed = any(name == module or name.startswith(module + ".") for module in MODULES)
    return allowed and not _FORBIDDEN_ATTRIBUTES & set(name.split("."))


def _import_error(name: str) -> str:
    return f"'{name}' cannot be imported in a slot; allowed modules are {', '.join(MODULES[1:])}"


def _is_forbidden_dunder(name: str) -> bool:
    return name.startswith("__") and name not in _ALLOWED_DUNDERS


def _check_signature(slot: CodeSlot, tree: ast.Module) -> Fault | None:
    function, parameters = SIGNATURES[slot]
    expected = f"def {function}({', '.join(parameters)})"
    defined = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    if not defined:
        return Fault(code="signature", slot=slot, message=f"it must define '{expected}'")
    arguments = defined[-1].args
    names = tuple(argument.arg for argument in (*arguments.posonlyargs, *arguments.args))
    if names != parameters or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        return Fault(
            code="signature",
            slot=slot,
            line=defined[-1].lineno,
            message=f"'{function}' takes ({', '.join(names)}); it must be '{expected}'",
        )
    return None
