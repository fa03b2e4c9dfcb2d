"""Reading what constrains a training run out of a person's words.

A text is cut into phrases. Each phrase loses its negation, and a classifier over sentence vectors
says which constraint the affirmative speaks of and on which side it stands: "the labels are not
reliable" becomes "the labels are reliable", which says that labels are fine, and the negation
turns that round. The classifier is fitted to ``constraints.yaml`` with the same treatment, in a
second on the first use, since the vectors of its phrases ship with the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import numpy as np
import yaml
from numpy.typing import NDArray

from edgewright.agents.planner import heads
from edgewright.agents.planner.encoder import MIDDLE_WEIGHT, MiniLM, minilm
from edgewright.agents.planner.encodings import Encodings, encoded
from edgewright.agents.planner.heads import Features, Heads
from edgewright.tools.settings import home

Kind = Literal["skew", "noise", "weak-devices", "thin-links", "attackers", "privacy", "personal"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: How likely a phrase has to state or deny a constraint, and how much likelier one of the two has
#: to be than the other. Chosen on worded problems that are not those of the tests.
THRESHOLD = 0.45
MARGIN = 1.3

Matrix = NDArray[np.float32]

#: Typographic apostrophes and dashes, and what they are read as.
_PLAIN = {0x2018: "'", 0x2019: "'", 0x2013: "-", 0x2014: "-"}
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\s*[\n\r]+\s*|\s+-+\s+|\s+\((?=[^\W\d])|(?<=\w)\)\s*")
_PHRASE = re.compile(
    r"\s*,\s*(?:and|but|or|so|yet|while|whereas|although|though|because|since|which|who)?\s+"
    r"|\s+(?:and|but|while|whereas|although|though|because|yet)\s+",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"\s+(?:with|over|behind|where|that|which|who|whose|so\s+that|because\s+of)\s+", re.IGNORECASE
)
#: Words that turn a statement round. "No more than" and its like limit it instead.
_NEGATION = re.compile(
    r"""\b(?:
        (?:is|are|was|were|do|does|did|have|has|had|need|must|should|would|could|can)\s*(?:n't|not\b)
        | cannot\b | can't\b | won't\b
        | not(?!\s+(?:only|just|merely)\b)
        | no(?!\s+(?:more|less|longer|later|fewer)\b) | none\s+of | nobody | no\s+one | nothing
        | never | neither | without | hardly | free\s+of | instead\s+of | rather\s+than
        | rule\s+out
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
    r"^(is|are|was|were|do|does|did|have|has|had|need|must|should|would|could|can)"
)


@dataclass(frozen=True)
class Constraint:
    """A constraint that was read.

    Attributes:
        kind: Which.
        words: The person's words that say so.
        confidence: Probability, 0 to 1.
    """

    kind: Kind
    words: str
    confidence: float


def read_constraints(text: str) -> tuple[Constraint, ...]:
    """Read a text; each kind comes at most once, with the words that say it most clearly.

    Args:
        text: The purpose in the person's words.
    """
    spans = _spans(text.translate(_PLAIN))
    sides = _sides([span.words for span in spans])
    stronger, weaker = sides.max(axis=2), sides.min(axis=2)
    clear = (stronger >= THRESHOLD) & (stronger > MARGIN * weaker)
    found: dict[Kind, Constraint] = {}
    for index, span in enumerate(spans):
        for number, kind in enumerate(KINDS):
            # What a part says clearly counts more than the whole; an unclear part says nothing.
            if not clear[index, number] or clear[list(span.parts), number].any():
                continue
            present, absent = (float(side) for side in sides[index, number])
            known = found.get(kind)
            if present > absent and (known is None or known.confidence < present):
                found[kind] = Constraint(kind, span.words, round(present, 3))
    return tuple(sorted(found.values(), key=lambda each: KINDS.index(each.kind)))


def affirmative(phrase: str) -> tuple[str, bool]:
    """Take the negations out of a phrase.

    Returns:
        The phrase without them, and whether their number was odd, so that it is turned round.
    """
    count = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        word = " ".join(match[0].lower().split())
        auxiliary = _AUXILIARY.match(word)
        return auxiliary[0] if auxiliary else _AFFIRMATIVES.get(word, "")

    bare = " ".join(_NEGATION.sub(replaced, phrase).split())
    return bare, count % 2 == 1


@dataclass
class _Span:
    """A stretch of the text, and the places of the shorter stretches inside it."""

    words: str
    parts: tuple[int, ...]


def _spans(text: str) -> list[_Span]:
    """Cut a text into fragments, phrases and sentences, each behind the parts it is made of."""
    spans: list[_Span] = []

    def add(words: str, cuts: tuple[re.Pattern[str], ...]) -> tuple[int, ...]:
        """Add a stretch and its parts; return the places of all of them."""
        words = words.strip(" .,;:!?")
        pieces = cuts[0].split(words) if cuts else []
        parts = [place for piece in pieces for place in add(piece, cuts[1:])] if cuts else []
        # A single word says too little, and a whole with one part is that part.
        if len(words.split()) < 2 or any(spans[place].words == words for place in parts):
            return tuple(parts)
        spans.append(_Span(words, tuple(parts)))
        return (*parts, len(spans) - 1)

    add(text, (_SENTENCE, _PHRASE, _FRAGMENT))
    # The text as a whole was only the frame.
    return [span for span in spans if span.words != text.strip(" .,;:!?") or not span.parts]


def _sides(texts: list[str]) -> Matrix:
    """Return the probabilities that a text states a constraint and that it denies it.

    Returns:
        float32 ``[texts, kinds, 2]``.
    """
    if not texts:
        return np.zeros((0, len(KINDS), 2), np.float32)
    phrases, vectors, turned = _inputs(texts, minilm())
    reader = _fitted()
    inputs = reader.features(phrases, vectors)
    sides = reader.heads.probabilities(inputs)[:, 1:].reshape(len(texts), len(KINDS), 2)
    sides[turned] = sides[turned][:, :, ::-1]
    return sides


@dataclass(frozen=True)
class Reader:
    """The classifier: class 0 says nothing, then come two sides for each kind."""

    features: Features
    heads: Heads


@cache
def _fitted() -> Reader:
    return fit_reader(Encodings(home() / "planner"))


def fit_reader(encodings: Encodings) -> Reader:
    """Fit the classifier to ``constraints.yaml``.

    Args:
        encodings: Sentence vectors, those of the phrases kept.
    """
    texts, labels = _examples()
    phrases, vectors, turned = _inputs(texts, encodings)
    features = Features.fit(phrases)
    # A turned phrase is learnt as what its affirmative says.
    learnt = [
        label + (1 if label % 2 else -1) if label and flip else label
        for label, flip in zip(labels, turned, strict=True)
    ]
    targets = np.eye(1 + 2 * len(KINDS), dtype=np.float32)[learnt]
    lexical = len(features.words)
    return Reader(features, heads.fit(features(phrases, vectors), targets, lexical=lexical))


def _examples() -> tuple[list[str], list[int]]:
    """Return the phrases to learn from, and of each the class: 0, or 1 and 2 for the first kind."""
    source = files("edgewright.agents.fl_coder") / "constraints.yaml"
    stored = yaml.load(source.read_text("utf-8"), Loader=yaml.CSafeLoader)
    pairs = [(text, 0) for text in stored["none"]]
    for number, kind in enumerate(KINDS):
        pairs += [(text, 1 + 2 * number) for text in stored[kind]["present"]]
        pairs += [(text, 2 + 2 * number) for text in stored[kind]["absent"]]
    return [text for text, _ in pairs], [label for _, label in pairs]


def _inputs(
    texts: Iterable[str], encoder: MiniLM | Encodings
) -> tuple[list[str], Matrix, NDArray[np.bool_]]:
    """Return the affirmatives, their sentence vectors, and which were turned round."""
    bare = [affirmative(text) for text in texts]
    phrases = [phrase or "-" for phrase, _ in bare]
    vectors = encoded(phrases, encoder)
    # How a phrase is put tells as much as what it is about.
    vectors[:, vectors.shape[1] // 2 :] /= np.float32(MIDDLE_WEIGHT)
    return phrases, vectors, np.array([turned for _, turned in bare], bool)
