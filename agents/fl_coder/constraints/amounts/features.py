"""Features of a quantity and of a passage: contextual vectors, and the words around."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from edgewright.agents.fl_coder.constraints.amounts.mentions import Mention
from edgewright.agents.fl_coder.constraints.denials import DENIED, DISMISSED
from edgewright.agents.fl_coder.constraints.nouns import CLIENT, PERSON, SAMPLE
from edgewright.agents.fl_coder.constraints.numbers import NUMBER_WORDS
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import TokenVectors, minilm
from edgewright.agents.text.heads import Design

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Weights of a word, and of a fact about a quantity, relative to a contextual vector. Chosen with
#: whole sets of wordings left out.
WORD_WEIGHT, FACT_WEIGHT, PASSAGE_WEIGHT = 0.1, 0.2, 0.17
#: Minimum number of examples that contain a word for it to become a feature.
MIN_EXAMPLES = 2

_FACT = "="
_STEM = 6
_NEAR, _BESIDE = 6, 4
_WORD = re.compile(r"[a-z]+|\d[\d.,]*|[^\sa-z\d]")
_NUMBERS = frozenset({*NUMBER_WORDS, "hundred", "thousand", "million", "half", "quarter", "dozen"})
_NOUNS = {
    "sample": re.compile(rf"\b{SAMPLE}\b", re.I),
    "person": re.compile(rf"\b{PERSON}\b", re.I),
    "client": re.compile(rf"\b{CLIENT}\b", re.I),
}
_NEGATED = re.compile(
    r"(?P<before>\b(?:not|never|than|instead\s+of|nor|neither|don't\s+\w+)\s+(?:[\w']+[-\s]+){0,3}?)"
    r"<(?P<kind>sample|person|client)>",
    re.IGNORECASE,
)
_CLASSED = re.compile(r"<[a-z-]+>|[a-z]+|\d[\d.,]*|[^\sa-z\d]")


@dataclass(frozen=True)
class Encoded:
    """A text's sentences with the vectors of their tokens."""

    sentences: tuple[str, ...]
    tokens: tuple[TokenVectors, ...]


def encoded(sentences: Iterable[str]) -> Encoded:
    """Encode sentences."""
    texts = tuple(sentences)
    return Encoded(texts, tuple(minilm().tokens(texts)))


def amount_vector(mention: Mention, tokens: TokenVectors) -> Vectors:
    """Return the vectors of a quantity and of its sentence, float32 ``[1536]``."""
    place = mention.place
    vector: Vectors = np.concatenate([tokens.mean(place.start, place.end), tokens.mean()])
    return vector


def amount_words(mention: Mention, clients: int) -> list[str]:
    """Return the words around a quantity by position, and facts about it, which begin with "="."""
    sentence, place = mention.place.sentence, mention.place
    before, after = _stems(sentence[: place.start])[::-1], _stems(sentence[place.end :])
    found = _facts(mention, clients)
    for side, words in (("<", before), (">", after)):
        found += [f"{side}{i} {word}" for i, word in enumerate(words[:_BESIDE])]
        found += [f"{side}{word}" for word in words[:_NEAR]]
        found += [f"{side}{one} {other}" for one, other in pairwise(words[:_BESIDE])]
    return found + list({*before, *after})


def passage_words(text: str) -> list[str]:
    """Return the stems of a passage with their pairs and triples; nouns are named by their kind.

    A noun that a negation precedes has a name of its own: "per patient, not per scan".
    """
    facts = {"withdrawn": DISMISSED, "denied": DENIED}
    known = [_FACT + fact for fact, pattern in facts.items() if pattern.search(text)]
    for kind, pattern in _NOUNS.items():
        text = pattern.sub(f" <{kind}> ", text)
    text = _NEGATED.sub(r"\g<before><not-\g<kind>>", text)
    stems = [
        word if word.startswith("<") else word[:_STEM]
        for word in _CLASSED.findall(text.lower().replace("'s", " is"))
    ]
    triples = zip(stems, stems[1:], stems[2:], strict=False)
    return [*known, *stems, *map(" ".join, pairwise(stems)), *map(" ".join, triples)]


@dataclass(frozen=True)
class Vocabulary:
    """The words that are features, and the weight of each."""

    columns: dict[str, int]
    weight: float

    @classmethod
    def of(cls, examples: Sequence[Sequence[str]], weight: float) -> Vocabulary:
        """Collect the words of examples."""
        counts = Counter(word for words in examples for word in set(words))
        kept = sorted(word for word, count in counts.items() if count >= MIN_EXAMPLES)
        return cls({word: column for column, word in enumerate(kept)}, weight)

    def design(self, vectors: Sequence[Vectors], examples: Sequence[Sequence[str]]) -> Design:
        """Return vectors and words as a design matrix."""
        return Design(np.stack(vectors).astype(np.float32), self._sparse(examples))

    def logits(self, vector: Vectors, words: Sequence[str], weights: Vectors) -> Vectors:
        """Return the logits of one example without bias, given the weights of the features."""
        logits: Vectors = vector @ weights[: len(vector)]
        for column, value in self._row(words).items():
            logits += weights[len(vector) + column] * np.float32(value)
        return logits

    def _row(self, words: Sequence[str]) -> dict[int, float]:
        return {
            self.columns[word]: FACT_WEIGHT if word.startswith(_FACT) else self.weight
            for word in words
            if word in self.columns
        }

    def _sparse(self, examples: Sequence[Sequence[str]]) -> csr_array:
        from scipy.sparse import csr_array

        rows = [self._row(words) for words in examples]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.array([column for row in rows for column in row], np.int32)
        values = np.array([value for row in rows for value in row.values()], np.float32)
        return csr_array((values, columns, ends), (len(rows), len(self.columns)))


def _facts(mention: Mention, clients: int) -> list[str]:
    """Return what is known of a quantity without the words around it."""
    facts = [f"measure {mention.measure}", f"bound {mention.bound}"]
    facts += ["whole"] if mention.of else []
    facts += ["range"] if mention.low != mention.high else []
    facts += ["whole is clients"] if mention.of and mention.of == clients else []
    if mention.measure in ("number", "share"):
        value = mention.share[1]
        size = max(-6, min(7, math.floor(math.log10(value) + 1e-9))) if value > 0 else -9
        facts += [f"size {size}", f"{mention.measure} of size {size}"]
        facts += ["fraction"] if value != int(value) else []
    if mention.measure == "number" and not mention.of:
        facts += ["clients"] if mention.high == clients else []
        facts += ["fewer than clients"] if mention.high < clients else []
    return [_FACT + fact for fact in facts]


def _stems(text: str) -> list[str]:
    return [
        "#" if word[0].isdigit() or word in _NUMBERS else word[:_STEM]
        for word in _WORD.findall(text.lower().replace("'s", " is"))
    ]
