"""Decides what quantities stand for, and what sentences say of privacy and of hostile clients.

Softmax layers decide, fitted to the phrases in ``phrases.yaml``: on the vectors that MiniLM
gives a quantity in its sentence and the words around it, and on those of a sentence. The fitted
layers ship with the package.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.fl_coder.constraints.amounts.features import (
    FACT_WEIGHT,
    MIN_EXAMPLES,
    PASSAGE_WEIGHT,
    WORD_WEIGHT,
    Encoded,
    Vocabulary,
    amount_vector,
    amount_words,
    encoded,
    passage_words,
)
from edgewright.agents.fl_coder.constraints.amounts.mentions import Mention, find_mentions
from edgewright.agents.fl_coder.constraints.amounts.phrases import (
    SAID,
    VARIANTS,
    Said,
    load_phrases,
)
from edgewright.agents.fl_coder.constraints.amounts.values import ROLES, Role, possible
from edgewright.agents.text import heads
from edgewright.agents.text.array_cache import StoredArrays, cached
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import MAX_TOKENS
from edgewright.agents.text.heads import Heads
from edgewright.tools.settings import cache_folder

_FOLDER = files("edgewright.agents.fl_coder.constraints.amounts")
#: The layers fitted to the current phrases, written by ``scripts/fit_shipped_models.py``.
SHIPPED = Path(str(_FOLDER / "fitted" / "amounts.safetensors"))
#: Everything that determines the layers besides the phrases; the first number changes with the
#: way they are treated.
VERSION = (
    1,
    *(MAX_TOKENS, VARIANTS, MIN_EXAMPLES, WORD_WEIGHT, FACT_WEIGHT, PASSAGE_WEIGHT),
    *(heads.SCALE, heads.STEPS, heads.PENALTY),
)


#: Number of quantities from which a sentence is a list of demands.
_LIST = 3


#: A symbol and its relation, which begin a note of at most so many words.
_SYMBOL = re.compile(
    r"(?:dp\W*)?(?P<name>eps|epsilon|delta|mu)\s*(?:=|<|:|\u2264)=?\s*", re.IGNORECASE
)
_NOTE = 5
_SYMBOLS: dict[str, Role] = {
    "eps": "epsilon",
    "epsilon": "epsilon",
    "delta": "delta",
    "mu": "proximal",
}


@dataclass(frozen=True)
class Amount:
    """A quantity, and what it stands for.

    Attributes:
        mention: The quantity.
        role: What it stands for.
        confidence: Probability of that, 0 to 1.
    """

    mention: Mention
    role: Role
    confidence: float


@dataclass(frozen=True)
class Layer:
    """A softmax layer with the words that it knows."""

    vocabulary: Vocabulary
    heads: Heads

    def probabilities(self, vector: Vectors, words: Sequence[str]) -> Vectors:
        """Return the probability of each label, float32 ``[labels]``."""
        logits = self.vocabulary.logits(vector, words, self.heads.weights) + self.heads.bias
        shares: Vectors = np.exp(logits - logits.max())
        shares /= shares.sum()
        return shares


@dataclass(frozen=True)
class Layers:
    """The fitted layers.

    Attributes:
        amounts: Of quantities, with a label for each role.
        units: Of passages, with a label for each unit of privacy.
        hostile: Of sentences, with the labels that they speak of hostile clients or do not.
    """

    amounts: Layer
    units: Layer
    hostile: Layer


def read_amounts(text: Encoded, clients: int) -> tuple[Amount, ...]:
    """Read what the quantities in a text stand for.

    Args:
        text: The sentences.
        clients: Number of clients; 0 if unknown.
    """
    layer = _layers().amounts
    mentions = [find_mentions(sentence) for sentence in text.sentences]
    # A list of demands is read clause by clause too, since each says little of the others.
    clauses = [m.place.clause for each in mentions if len(each) >= _LIST for m in each]
    parts = dict(zip(clauses, encoded(clauses).tokens, strict=True)) if clauses else {}
    found = []
    for tokens, in_sentence in zip(text.tokens, mentions, strict=True):
        for mention in in_sentence:
            shares = layer.probabilities(
                amount_vector(mention, tokens), amount_words(mention, clients)
            )
            alone = mention.alone
            if alone.place.sentence in parts:
                vector = amount_vector(alone, parts[alone.place.sentence])
                shares = (shares + layer.probabilities(vector, amount_words(alone, clients))) / 2
            if formula := _in_formula(mention):
                found.append(Amount(mention, formula, 1.0))
                continue
            allowed = ("none", *possible(mention))
            role = max(allowed, key=lambda each: shares[ROLES.index(each)])
            found.append(Amount(mention, role, float(shares[ROLES.index(role)])))
    return tuple(found)


def _in_formula(mention: Mention) -> Role | None:
    """Return what a note in symbols says: "eps<=8 pls" has too few words to learn from."""
    place = mention.place
    name = _SYMBOL.fullmatch(place.sentence, 0, place.start)
    if name is None or len(place.sentence.split()) > _NOTE:
        return None
    role = _SYMBOLS[name["name"].lower()]
    return role if role in possible(mention) else None


def in_clauses(text: Encoded) -> Encoded:
    """Return a text in which sentences that list several demands are split into clauses."""
    parts: list[str] = []
    for sentence in text.sentences:
        mentions = find_mentions(sentence)
        listed = [m.place.clause for m in mentions] if len(mentions) >= _LIST else [sentence]
        parts += dict.fromkeys(listed)
    known = dict(zip(text.sentences, text.tokens, strict=True))
    new = [part for part in parts if part not in known]
    known |= dict(zip(new, encoded(new).tokens, strict=True)) if new else {}
    return Encoded(tuple(parts), tuple(known[part] for part in parts))


def units_said(text: Encoded) -> list[dict[Said, float]]:
    """Return how likely each sentence, as a passage of its own, says what of privacy."""
    layer = _layers().units
    return [
        dict(zip(SAID, map(float, layer.probabilities(tokens.mean(), passage_words(sentence))),
                 strict=True))
        for sentence, tokens in zip(text.sentences, text.tokens, strict=True)
    ]  # fmt: skip


def hostile_said(text: Encoded) -> list[float]:
    """Return how likely each sentence says that clients may be hostile."""
    layer = _layers().hostile
    return [
        float(layer.probabilities(tokens.mean(), passage_words(sentence))[1])
        for sentence, tokens in zip(text.sentences, text.tokens, strict=True)
    ]


def load_layers(folder: Path, *, shipped: Path | None = SHIPPED) -> Layers:
    """Return the layers: the shipped ones, cached ones, or ones fitted now.

    Args:
        folder: Where they are cached.
        shipped: The layers that come with the package; None to ignore them.
    """
    source = (_FOLDER / "phrases.yaml").read_bytes()
    key = f"amounts-{hashlib.sha256(json.dumps(VERSION).encode() + source).hexdigest()[:32]}"
    stored = cached(key, folder, lambda: _stored(fit_layers(source)), shipped=shipped)
    return Layers(
        _layer(stored, "amounts", WORD_WEIGHT),
        _layer(stored, "units", PASSAGE_WEIGHT),
        _layer(stored, "hostile", PASSAGE_WEIGHT),
    )


@cache
def _layers() -> Layers:
    return load_layers(cache_folder() / "coder")


def fit_layers(source: bytes) -> Layers:
    """Fit both layers to the phrases of a file."""
    phrases = load_phrases(source)
    vectors, words, roles = [], [], []
    for phrase in phrases.amounts:
        mentions = list(phrase.mentions())
        places = list(dict.fromkeys(each.place.sentence for each, _ in mentions))
        tokens = dict(zip(places, encoded(places).tokens, strict=True))
        for mention, role in mentions:
            vectors.append(amount_vector(mention, tokens[mention.place.sentence]))
            words.append(amount_words(mention, phrase.clients))
            roles.append(ROLES.index(role))
    amounts = _fitted(vectors, words, np.eye(len(ROLES), dtype=np.float32)[roles], WORD_WEIGHT)
    units = _fitted_to([text for text, _ in phrases.units],
                       [SAID.index(said) for _, said in phrases.units], len(SAID))  # fmt: skip
    hostile = _fitted_to([each.words for each in phrases.amounts],
                         [int(each.is_hostile) for each in phrases.amounts], 2)  # fmt: skip
    return Layers(amounts, units, hostile)


def _fitted_to(passages: Sequence[str], labels: Sequence[int], number: int) -> Layer:
    """Fit a layer to passages."""
    vectors = [tokens.mean() for tokens in encoded(passages).tokens]
    words = [passage_words(text) for text in passages]
    return _fitted(vectors, words, np.eye(number, dtype=np.float32)[labels], PASSAGE_WEIGHT)


def _fitted(
    vectors: Sequence[Vectors], words: Sequence[Sequence[str]], truth: Vectors, weight: float
) -> Layer:
    vocabulary = Vocabulary.of(words, weight)
    return Layer(vocabulary, heads.fit(vocabulary.design(vectors, words), truth))


def _stored(layers: Layers) -> StoredArrays:
    arrays: dict[str, NDArray[Any]] = {}
    notes: dict[str, str] = {}
    for name, layer in (
        ("amounts", layers.amounts),
        ("units", layers.units),
        ("hostile", layers.hostile),
    ):
        arrays[f"{name}-weights"] = layer.heads.weights.astype(np.float16)
        arrays[f"{name}-bias"] = layer.heads.bias
        notes[name] = json.dumps(list(layer.vocabulary.columns))
    return StoredArrays(arrays, notes)


def _layer(stored: StoredArrays, name: str, weight: float) -> Layer:
    words: list[str] = json.loads(stored.notes[name])
    weights = stored.arrays[f"{name}-weights"].astype(np.float32)
    columns = {word: column for column, word in enumerate(words)}
    return Layer(Vocabulary(columns, weight), Heads(weights, stored.arrays[f"{name}-bias"]))
