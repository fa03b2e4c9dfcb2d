from __future__ import annotations

import ast

import pytest

from edgewright.agents.fl_coder.embedded.recipes import book, read, write
from edgewright.tools.federated.records.candidate import SIGNATURES, Candidate
from edgewright.tools.federated.template.syntax import check_source

NUMBERS = {"width": 16, "side": 7, "decay": 0.0005, "peak": 0.003, "angle": 0.15, "shift": 0.1}


def candidate(**slots: str) -> Candidate:
    plain = {
        "model": write("model", "convolutions", width=16),
        "augmentation": write("augmentation", "none"),
        "optimiser": write("optimiser", "plain", decay=0),
        "schedule": write("schedule", "constant", peak=0.1),
    }
    return Candidate(**(plain | slots), rounds=1)


@pytest.mark.parametrize("recipe", book().values(), ids=lambda r: f"{r.slot}-{r.name}")
def test_a_recipe_passes_the_checks_and_is_recognised(recipe):
    names = {name for name in NUMBERS if f"${name}" in recipe.source}
    numbers = {name: float(NUMBERS[name]) for name in names}
    code = write(recipe.slot, recipe.name, **numbers)
    assert "$" not in code
    written = candidate(**{recipe.slot: code})
    assert check_source(written) == []
    assert read(written, recipe.slot) == (recipe.name, numbers)
    functions = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    assert SIGNATURES[recipe.slot][0] in {function.name for function in functions}


def test_other_code_is_not_from_the_book():
    assert read(candidate(schedule="def learning_rate(r, n):\n    return 1\n"), "schedule") == (
        "",
        {},
    )
