"""The thousand ImageNet labels, and the everyday words that stand for groups of them."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from edgewright.tools.errors import UnavailableError


@dataclass(frozen=True)
class Concept:
    """Something that can be asked for or named.

    Attributes:
        phrase: How it reads in a sentence, with its article: ``a cat``, ``food``.
        words: What people call it, singular and lower case; the first is the plainest.
        labels: Indices of the ImageNet labels that it covers.
    """

    phrase: str
    words: tuple[str, ...]
    labels: tuple[int, ...]

    def score(self, probabilities: Sequence[float]) -> float:
        """Return the probability that the picture's main subject is any of these."""
        return sum(probabilities[index] for index in self.labels)


class Vocabulary:
    """All concepts: the labels themselves and the groups above them.

    Args:
        labels: Label names by index.
        groups: Groups of labels, as ``label_groups.yaml`` lists them.
        ambiguous: Label names that are not understood in a question.
        uncountable: Label names that take no article.
    """

    def __init__(
        self,
        labels: Sequence[str],
        groups: Sequence[Concept],
        ambiguous: frozenset[str],
        uncountable: frozenset[str],
    ) -> None:
        self.labels = tuple(labels)
        self.groups = tuple(sorted(groups, key=lambda group: len(group.labels)))
        self.ambiguous = ambiguous
        self.uncountable = uncountable
        self._own = tuple(
            Concept(name if name in uncountable else _with_article(name), (_plain(name),), (index,))
            for index, name in enumerate(labels)
        )
        self._by_word = {
            concept.words[0]: concept for concept in self._own if concept.words[0] not in ambiguous
        }
        self._by_word |= {word: group for group in groups for word in group.words}

    def find(self, noun: str) -> Concept | None:
        """Find what a noun stands for, in the singular or the plural; None if nothing does."""
        forms = _singulars(_plain(noun))
        return next((self._by_word[form] for form in forms if form in self._by_word), None)

    def own(self, index: int) -> Concept:
        """Return the concept of a single label."""
        return self._own[index]

    def name(self, probabilities: Sequence[float]) -> tuple[Concept, float]:
        """Name a picture's main subject as exactly as the probabilities allow.

        That is the best label if it holds half of the probability, else the narrowest group
        around it that does, else the best label after all.

        Returns:
            The concept and its probability.
        """
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        if probabilities[best] < 0.5:
            for group in self.groups:
                if best in group.labels and (score := group.score(probabilities)) >= 0.5:
                    return group, score
        return self._own[best], probabilities[best]


@cache
def imagenet_labels() -> tuple[str, ...]:
    """Return the label names by index, as torchvision lists them.

    The list is read from torchvision's source file: importing torchvision would import torch,
    and questions are checked in processes that do without it.

    Raises:
        UnavailableError: torchvision is not installed (``model_missing``).
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise UnavailableError(
            "the label names need torchvision; pip install 'edgewright[vision]'",
            code="model_missing",
        )
    source = Path(spec.origin).parent / "models" / "_meta.py"
    for statement in ast.parse(source.read_text("utf-8")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List):
            names = ast.literal_eval(statement.value)
            if len(names) == 1000:
                return tuple(names)
    raise UnavailableError(
        "this torchvision keeps no list of ImageNet labels; install the version that "
        "'edgewright[vision]' asks for",
        code="model_missing",
    )


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
        imagenet_labels(), groups, frozenset(data["ambiguous"]), frozenset(data["uncountable"])
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
