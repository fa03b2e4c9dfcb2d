"""The phrase classifier: which constraint a phrase is about, and whether it states or denies it.

Negations are removed from a phrase, and a softmax on its sentence vector and words classifies the
affirmative: "the labels are not reliable" becomes "the labels are reliable", which denies noisy
labels, and the negation reverses that. The training phrases in ``constraints.yaml`` are treated in
the same way. The classifier fitted to that file ships with the package.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import yaml
from numpy.typing import NDArray

from edgewright.agents.text import heads
from edgewright.agents.text.array_cache import StoredArrays, cached
from edgewright.agents.text.encoder import MAX_TOKENS, MIDDLE_WEIGHT, MiniLM, minilm
from edgewright.agents.text.heads import Features, Heads
from edgewright.agents.text.vector_cache import VectorCache, encode_cached
from edgewright.tools.settings import cache_folder

Kind = Literal["skew", "noise", "weak-devices", "thin-links", "attackers", "privacy", "personal"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Matrix = NDArray[np.float32]

#: Minimum number of phrases that contain a word for it to become a feature. It is lower than the
#: planner's because each phrase occurs only once.
MIN_PHRASES = heads.MIN_EXAMPLES // 2
#: Weight of the words, which show whether a constraint is stated or denied, relative to the
#: sentence vector, which shows what it is about. Chosen on other worded problems than the tests'.
LEXICAL_WEIGHT = 1.2
#: Everything that determines the classifier besides its phrases; the first number changes with the
#: way they are treated.
VERSION = (
    2,
    *(MAX_TOKENS, MIDDLE_WEIGHT),
    *(LEXICAL_WEIGHT, heads.SCALE, MIN_PHRASES, heads.STEPS, heads.PENALTY),
)

#: The classifier fitted to the current phrases, written by ``scripts/fit_shipped_models.py``.
SHIPPED = Path(
    str(files("edgewright.agents.fl_coder.constraints") / "fitted" / "phrases.safetensors")
)

#: Negations, which reverse a statement. "No more than" and the like only limit it.
_NEGATION = re.compile(
    r"""\b(?:
        (?:is|are|was|were|do|does|did|have|has|had|need|must|should|would|could|can)\s*(?:n't|not\b)
        | cannot\b | can't\b | won't\b
        | not(?!\s+(?:only|just|merely)\b)
        | no(?!\s+(?:more|less|longer|later|fewer)\b) | none\s+of | nobody | no\s+one | nothing
        | never | neither | without | hardly | free\s+of | instead\s+of | rather\s+than
        | rule\s+out | surprised\s+if | doubt\s+(?:that|if|whether)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_AFFIRMATIVES = {
    "nobody": "somebody",
    "no one": "somebody",
    "nothing": "something",
    "none of": "some of",
}
_AUXILIARY = re.compile(
    r"^(is|are|was|were|do|does|did|have|has|had|need|must|should|would|could|can)(?=\s|n't|not)"
)


def affirmative(phrase: str) -> tuple[str, bool]:
    """Remove the negations from a phrase.

    Returns:
        The phrase without them, and whether they reverse it because their number is odd.
    """
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        word = " ".join(match[0].lower().split())
        auxiliary = _AUXILIARY.match(word)
        return auxiliary[0] if auxiliary else _AFFIRMATIVES.get(word, "")

    bare = " ".join(_NEGATION.sub(replace, phrase).split())
    return bare, count % 2 == 1


def sides(texts: list[str]) -> Matrix:
    """Return the probabilities that each text states and that it denies each constraint.

    Returns:
        float32 ``[texts, kinds, 2]``.
    """
    if not texts:
        return np.zeros((0, len(KINDS), 2), np.float32)
    phrases, vectors, reversed_ = _inputs(texts, minilm())
    reader = _reader()
    inputs = reader.features(phrases, vectors)
    judged = reader.heads.probabilities(inputs)[:, 1:].reshape(len(texts), len(KINDS), 2)
    judged[reversed_] = judged[reversed_][:, :, ::-1]
    return judged


@dataclass(frozen=True)
class Reader:
    """The fitted classifier: class 0 for no constraint, then two per kind, stated and denied."""

    features: Features
    heads: Heads


def load_reader(folder: Path, *, shipped: Path | None = SHIPPED) -> Reader:
    """Return the classifier: the shipped one, a cached one, or one fitted now.

    Args:
        folder: Where the classifier and the sentence vectors of its phrases are cached.
        shipped: The classifier that comes with the package; None to ignore it.
    """
    source = (files("edgewright.agents.fl_coder.constraints") / "constraints.yaml").read_bytes()
    key = f"constraints-{hashlib.sha256(json.dumps(VERSION).encode() + source).hexdigest()[:32]}"
    stored = cached(key, folder, lambda: _fitted(source, VectorCache(folder)), shipped=shipped)
    words: list[str] = json.loads(stored.notes["words"])
    return Reader(
        Features(
            {word: column for column, word in enumerate(words)},
            stored.arrays["idf"],
            LEXICAL_WEIGHT,
        ),
        Heads(stored.arrays["weights"], stored.arrays["bias"]),
    )


@cache
def _reader() -> Reader:
    return load_reader(cache_folder() / "coder")


def _fitted(source: bytes, vector_cache: VectorCache) -> StoredArrays:
    texts, labels = _examples(source)
    phrases, vectors, reversed_ = _inputs(texts, vector_cache)
    features = Features.fit(phrases, min_examples=MIN_PHRASES, lexical_weight=LEXICAL_WEIGHT)
    # A negated phrase gets the label of its affirmative.
    affirmed = [
        label + (1 if label % 2 else -1) if label and flip else label
        for label, flip in zip(labels, reversed_, strict=True)
    ]
    targets = np.eye(1 + 2 * len(KINDS), dtype=np.float32)[affirmed]
    fitted = heads.fit(features.design(phrases, vectors), targets)
    arrays = {"idf": features.weights, "weights": fitted.weights, "bias": fitted.bias}
    return StoredArrays(arrays, {"words": json.dumps(list(features.words))})


def _examples(source: bytes) -> tuple[list[str], list[int]]:
    """Return the training phrases and the class of each."""
    stored = yaml.load(source, Loader=yaml.CSafeLoader)
    pairs = [(text, 0) for text in stored["none"]]
    for number, kind in enumerate(KINDS):
        pairs += [(text, 1 + 2 * number) for text in stored[kind]["present"]]
        pairs += [(text, 2 + 2 * number) for text in stored[kind]["absent"]]
    return [text for text, _ in pairs], [label for _, label in pairs]


def _inputs(
    texts: Iterable[str], encoder: MiniLM | VectorCache
) -> tuple[list[str], Matrix, NDArray[np.bool_]]:
    """Return the affirmatives, their sentence vectors, and which texts were reversed."""
    bare = [affirmative(text) for text in texts]
    phrases = [phrase or "-" for phrase, _ in bare]
    vectors = encode_cached(phrases, encoder)
    # How a phrase is worded matters as much as what it is about.
    vectors[:, vectors.shape[1] // 2 :] /= np.float32(MIDDLE_WEIGHT)
    return phrases, vectors, np.array([odd for _, odd in bare], bool)
