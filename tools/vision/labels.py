"""The vocabulary: the 1000 ImageNet labels, and everyday words for groups of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class Concept:
    """A label or a group of labels that questions and answers can name.

    Attributes:
        phrase: Its form in a sentence, with an article where needed: ``a cat``, ``food``.
        words: Its names in singular and lower case; the first is the plainest.
        labels: Indices of the ImageNet labels it covers.
    """

    phrase: str
    words: tuple[str, ...]
    labels: tuple[int, ...]

    def score(self, probabilities: Sequence[float]) -> float:
        """Return the probability that the image's main subject is one of its labels."""
        return sum(probabilities[index] for index in self.labels)


class Vocabulary:
    """All concepts: the single labels and the groups of labels.

    Args:
        labels: Label names by index.
        groups: Groups of labels, as listed in ``label_groups.yaml``.
        ambiguous: Label names that are not recognised in questions.
        uncountable: Label names that take no article.
        pictures: Label names of what is printed or drawn, such as ``comic book``: any drawing looks
            like one, so they name no thing.
    """

    def __init__(
        self,
        labels: Sequence[str],
        groups: Sequence[Concept],
        ambiguous: frozenset[str],
        uncountable: frozenset[str],
        pictures: frozenset[str] = frozenset(),
    ) -> None:
        self.labels = tuple(labels)
        self.groups = tuple(sorted(groups, key=lambda group: len(group.labels)))
        self.ambiguous = ambiguous
        self.uncountable = uncountable
        self.pictures = pictures
        self._label_concepts = tuple(
            Concept(name if name in uncountable else _with_article(name), (_plain(name),), (index,))
            for index, name in enumerate(labels)
        )
        self._by_word = {
            concept.words[0]: concept
            for concept in self._label_concepts
            if concept.words[0] not in ambiguous
        }
        self._by_word |= {word: group for group in groups for word in group.words}

    def find(self, noun: str) -> Concept | None:
        """Return the concept that a singular or plural noun names; None if there is none."""
        forms = _singulars(_plain(noun))
        return next((self._by_word[form] for form in forms if form in self._by_word), None)

    def label_concept(self, index: int) -> Concept:
        """Return the concept of a single label, by index."""
        return self._label_concepts[index]

    def name(self, probabilities: Sequence[float]) -> tuple[Concept, float]:
        """Name an image's main subject as specifically as the probabilities allow.

        This is the best label if its probability is at least 0.5, otherwise the smallest group that
        contains it and reaches 0.5, otherwise the best label.

        Returns:
            The concept and its probability.
        """
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        if probabilities[best] < 0.5:
            for group in self.groups:
                if best in group.labels and (score := group.score(probabilities)) >= 0.5:
                    return group, score
        return self._label_concepts[best], probabilities[best]


@cache
def imagenet_labels() -> tuple[str, ...]:
    """Return the label names by index, a copy of torchvision's list (BSD-3-Clause)."""
    data = (files("edgewright.tools.vision") / "imagenet_labels.json").read_bytes()
    return tuple(json.loads(data))


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary of the ImageNet labels."""
    text = (files("edgewright.tools.vision") / "label_groups.yaml").read_text("utf-8")
    data = yaml.load(text, Loader=yaml.CSafeLoader)
    groups = [
        Concept(group["phrase"], tuple(group["words"]), tuple(_indices(group["labels"])))
        for group in data["groups"]
    ]
    return Vocabulary(
        imagenet_labels(),
        groups,
        frozenset(data["ambiguous"]),
        frozenset(data["uncountable"]),
        frozenset(data["pictures"]),
    )


def _plain(noun: str) -> str:
    return noun.lower().replace("-", " ")


def _with_article(name: str) -> str:
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _indices(ranges: Sequence[int | str]) -> list[int]:
    found: list[int] = []
    for entry in ranges:
        first, _, last = str(entry).partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def _singulars(noun: str) -> list[str]:
    forms = [noun]
    if noun.endswith("ies"):
        forms.append(noun[:-3] + "y")
    if noun.endswith("ves"):
        forms.append(noun[:-3] + "f")
    if noun.endswith("es"):
        forms.append(noun[:-2])
    if noun.endswith("s") and not noun.endswith("ss"):
        forms.append(noun[:-1])
    return forms
