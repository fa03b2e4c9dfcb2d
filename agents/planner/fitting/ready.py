"""The model of a catalogue as it was last made, kept for the next process.

Loading a fitted model takes its training examples, and reading thousands of those takes longer than
all the rest of a first plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from edgewright.agents.planner.embedded.model import RequestModel
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.planner.fitting.model import arrays_of, load_model, model_from, shares
from edgewright.agents.text.array_cache import StoredArrays, mark_used, read_arrays, write_arrays
from edgewright.agents.text.vector_cache import VectorCache, encode_cached
from edgewright.tools.cards import CardRegistry

#: What determines the examples and their vectors, besides the cards: code, vocabularies, and the
#: manifest of the fitted model that comes with the package.
_SOURCES = ("edgewright.agents.planner", "edgewright.agents.text")
_KINDS = (".py", ".yaml", ".json")


def ready_model(cards: CardRegistry, vectors: VectorCache, folder: Path) -> RequestModel:
    """Return the model of a catalogue: as the last process left it, or loaded or fitted now.

    Args:
        cards: The catalogue.
        vectors: The encoder and its cache.
        folder: Where models are kept. If it is not writable, each process makes its own.
    """
    path = folder / f"ready-{_identity(cards)}.safetensors"
    if stored := read_arrays(path):
        mark_used(path)
        labels = tuple(json.loads(stored.notes["labels"]))
        return model_from(
            stored,
            labels=labels,
            tools=int(stored.notes["tools"]),
            vectors=encode_cached(json.loads(stored.notes["requests"]), vectors),
            truth=shares(json.loads(stored.notes["labels_of_requests"]), len(labels)),
        )
    examples = collect(cards)
    model = load_model(examples, vectors, folder)
    fitted = arrays_of(model)
    notes = {
        **fitted.notes,
        "labels": json.dumps(model.labels),
        "tools": str(model.tools),
        "requests": json.dumps([example.words.whole for example in examples.requests]),
        "labels_of_requests": json.dumps([example.labels for example in examples.requests]),
    }
    write_arrays(path, StoredArrays(fitted.arrays, notes))
    return model


def _identity(cards: CardRegistry) -> str:
    """Return a digest of everything that the model depends on."""
    digest = hashlib.sha256()
    for package in _SOURCES:
        for content in _contents(files(package)):
            digest.update(hashlib.sha256(content).digest())
    for each in (*cards, *cards.demonstrations):
        digest.update(hashlib.sha256(each.model_dump_json().encode()).digest())
    return digest.hexdigest()[:32]


def _contents(folder: Traversable) -> Iterator[bytes]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _contents(entry)
        elif entry.name.endswith(_KINDS):
            yield entry.name.encode() + b"\0" + entry.read_bytes()
