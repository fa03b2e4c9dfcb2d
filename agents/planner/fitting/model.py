"""Fits the model of a catalogue, or loads one that is shipped or cached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import files
from itertools import chain
from pathlib import Path

import numpy as np

from edgewright.agents.planner.embedded import evidence
from edgewright.agents.planner.embedded.evidence import Evidence, Flags, Judge
from edgewright.agents.planner.embedded.model import RequestModel, Texts
from edgewright.agents.planner.fitting.examples import FOLDS, LARGE, Examples
from edgewright.agents.planner.fitting.judge import NONE_SHARE, fit_judge
from edgewright.agents.planner.fitting.large import fit_large
from edgewright.agents.text import heads
from edgewright.agents.text.array_cache import StoredArrays, cached
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import MAX_TOKENS, MIDDLE_WEIGHT, MiniLM
from edgewright.agents.text.heads import Bags, Features, Heads
from edgewright.agents.text.vector_cache import VectorCache, encode_cached

#: Factor on the odds that a reading is right for a model fitted to all folds, relative to the
#: held-out fits; measured on the development requests of the benchmark.
UNDIVIDED = 2.0

#: Everything that determines a model besides its examples.
VERSION = (
    7,
    *(MAX_TOKENS, MIDDLE_WEIGHT),
    *(heads.LEXICAL_WEIGHT, heads.SCALE, heads.MIN_EXAMPLES, heads.STEPS, heads.PENALTY),
    *(evidence.NEIGHBOURS, evidence.WIDTH, NONE_SHARE, UNDIVIDED),
)

#: The model for the built-in cards, written by ``scripts/fit_shipped_models.py``.
SHIPPED = Path(
    str(files("edgewright.agents.planner.fitting") / "fitted" / "builtin-cards.safetensors")
)

_QUESTIONS = tuple(field.name for field in fields(Judge))


@dataclass(frozen=True)
class Choices:
    """What is chosen for the heads, not fitted. Those of large catalogues have no such choices.

    Attributes:
        lexical_weight: Norm of the lexical features relative to the sentence vector.
        min_examples: Minimum number of examples that contain a word for it to become a feature.
        penalty: Factor on the squared weights.
    """

    lexical_weight: float = heads.LEXICAL_WEIGHT
    min_examples: int = heads.MIN_EXAMPLES
    penalty: float = heads.PENALTY


_DEFAULT = Choices()


def fit(
    examples: Examples, encoder: MiniLM | VectorCache, choices: Choices = _DEFAULT
) -> RequestModel:
    """Fit the model of a catalogue. With 25 tools this takes well under a minute."""
    texts = Texts.of([example.words for example in examples.requests], encoder)
    truth = _truth(examples)
    if examples.tools > LARGE + 1:
        model = fit_large(examples, texts, truth)
    else:
        model = _fit_small(examples, texts, truth, choices)
    trust = model.judge.trust + np.array([0, np.log(UNDIVIDED)])
    return replace(
        model,
        heads=_halved(model.heads),
        several=_halved(model.several),
        judge=replace(model.judge, trust=trust),
    )


def _fit_small(examples: Examples, texts: Texts, truth: Vectors, choices: Choices) -> RequestModel:
    from scipy.sparse import csr_array

    features = Features.fit(
        texts.wholes, min_examples=choices.min_examples, lexical_weight=choices.lexical_weight
    )
    requested = truth[:, : examples.tools] > 0
    wholes = features.design(texts.wholes, texts.whole_vectors)
    # Requests are joined from the same clauses again and again.
    distinct, first, which = np.unique(texts.clauses, return_index=True, return_inverse=True)
    clauses = features.design(distinct.tolist(), texts.clause_vectors[first])
    times = csr_array((np.ones(len(which), np.float32), (texts.owner, which)))
    bags = Bags(clauses, times, requested.astype(np.float32))
    # Texts of a single clause are not bags.
    cut = np.bincount(texts.owner, minlength=len(truth)) > 1
    counts = np.eye(2, dtype=np.float32)[(requested.sum(axis=1) > 1).astype(int)]

    def fit_to(rows: Flags) -> tuple[Heads, Heads]:
        return (
            heads.fit(wholes[rows], truth[rows], bags.select(rows & cut), penalty=choices.penalty),
            heads.fit(wholes[rows], counts[rows], penalty=choices.penalty),
        )

    whole, near, by_clause = np.zeros_like(truth), np.zeros_like(truth), truth[texts.owner]
    multiple = np.zeros_like(truth[:, 0])
    folds = np.array([example.fold for example in examples.requests])
    for fold in range(FOLDS):
        held_out = folds == fold
        by_label, several = fit_to(~held_out)
        whole[held_out] = by_label.probabilities(wholes[held_out])
        multiple[held_out] = several.probabilities(wholes[held_out])[:, 1]
        by_clause[held_out[texts.owner]] = by_label.probabilities(clauses)[
            which[held_out[texts.owner]]
        ]
        vectors = texts.whole_vectors
        near[held_out] = evidence.nearest(vectors[held_out], vectors[~held_out], truth[~held_out])
    unseen = Evidence(whole=whole, clauses=texts.by_owner(by_clause), near=near, several=multiple)
    judge = fit_judge(unseen, requested)
    by_label, several = fit_to(np.ones_like(cut))
    return RequestModel(
        labels=examples.labels,
        tools=examples.tools,
        features=features,
        heads=by_label,
        several=several,
        vectors=texts.whole_vectors,
        truth=truth,
        judge=judge,
    )


def _halved(fitted: Heads) -> Heads:
    """Round weights to half precision, in which they are stored: half the size, alike scores."""
    return replace(fitted, weights=fitted.weights.astype(np.float16).astype(np.float32))


def load_model(
    examples: Examples, vectors: VectorCache, folder: Path, *, shipped: Path | None = SHIPPED
) -> RequestModel:
    """Return the model of a catalogue: the shipped one, a cached one, or one fitted now.

    Args:
        examples: The training examples.
        vectors: The encoder and its cache.
        folder: Where fitted models are cached. If it is not writable, they are fitted each time.
        shipped: The model that comes with the package; None to ignore it.
    """
    requests = [
        {
            "words": {"whole": each.words.whole, "clauses": each.words.clauses},
            "labels": each.labels,
            "fold": each.fold,
        }
        for each in examples.requests
    ]
    content = json.dumps(
        [VERSION, {"labels": examples.labels, "tools": examples.tools, "requests": requests}]
    )
    key = f"planner-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
    fitted: list[RequestModel] = []

    def fit_now() -> StoredArrays:
        fitted.append(fit(examples, vectors))
        return arrays_of(fitted[0])

    stored = cached(key, folder, fit_now, shipped=shipped)
    if fitted:
        return fitted[0]
    return model_from(
        stored,
        labels=examples.labels,
        tools=examples.tools,
        vectors=encode_cached([example.words.whole for example in examples.requests], vectors),
        truth=_truth(examples),
    )


def shares(labels: Sequence[Sequence[int]], number: int) -> Vectors:
    """Return the share of each label in each example, float32 ``[N, number]``.

    Args:
        labels: The labels of each example.
        number: Number of all labels.
    """
    lengths = np.array([len(each) for each in labels])
    truth = np.zeros((len(labels), number), np.float32)
    rows, columns = np.repeat(np.arange(len(labels)), lengths), list(chain.from_iterable(labels))
    truth[rows, columns] = np.repeat(1 / lengths, lengths)
    return truth


def _truth(examples: Examples) -> Vectors:
    return shares([example.labels for example in examples.requests], len(examples.labels))


def arrays_of(model: RequestModel) -> StoredArrays:
    """Return the arrays of a model that cannot be computed from its examples and their vectors."""
    arrays = {
        "idf": model.features.weights,
        "weights": model.heads.weights.astype(np.float16),
        "bias": model.heads.bias,
        "several_weights": model.several.weights.astype(np.float16),
        "several_bias": model.several.bias,
        **asdict(model.judge),
    }
    return StoredArrays(arrays, {"words": json.dumps(list(model.features.words))})


def model_from(
    stored: StoredArrays, *, labels: tuple[str, ...], tools: int, vectors: Vectors, truth: Vectors
) -> RequestModel:
    """Return a model from stored arrays; for the arguments see ``RequestModel``.

    Args:
        stored: What ``arrays_of`` returned.
        labels: Its labels.
        tools: Number of labels that lead to tasks.
        vectors: Sentence vectors of its examples.
        truth: Share of each label in each example.
    """
    arrays = stored.arrays
    words: list[str] = json.loads(stored.notes["words"])
    return RequestModel(
        labels=labels,
        tools=tools,
        features=Features(
            words={word: column for column, word in enumerate(words)}, weights=arrays["idf"]
        ),
        heads=Heads(weights=arrays["weights"].astype(np.float32), bias=arrays["bias"]),
        several=Heads(
            weights=arrays["several_weights"].astype(np.float32), bias=arrays["several_bias"]
        ),
        vectors=vectors,
        truth=truth,
        judge=Judge(**{name: arrays[name] for name in _QUESTIONS}),
    )
