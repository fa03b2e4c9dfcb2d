"""Prepares the planner, so that neither the first request nor a further card waits for it.

``make setup`` runs this. Vectors of whole requests are enough for the shipped model; a model of
other cards, as after a training that installed one, is fitted to the clauses of requests as well.
"""

from __future__ import annotations

import sys

from edgewright.agents.planner.embedded.model import Texts
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.planner.fitting.ready import ready_model
from edgewright.agents.text.vector_cache import VectorCache
from edgewright.tools.cards import CardRegistry
from edgewright.tools.settings import cache_folder


def main() -> int:
    """Fill the cache of this machine, or the one that ``EDGEWRIGHT_CACHE`` names."""
    folder = cache_folder() / "planner"
    vectors = VectorCache(folder, on_progress=_report)
    cards = CardRegistry.builtin()
    Texts.of([example.words for example in collect(cards).requests], vectors)
    ready_model(cards, vectors, folder)
    return 0


def _report(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r{done:,} of {total:,} examples encoded{end}")


if __name__ == "__main__":
    sys.exit(main())
