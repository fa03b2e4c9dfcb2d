"""The things that questions can name, and what counts as evidence for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import yaml

from edgewright.tools.vision.asking.nouns import plural, singulars, with_article
from edgewright.tools.vision.labels import Vocabulary, imagenet_labels, vocabulary

#: Words for a thing that are no name for one.
_PRONOUNS = frozenset(["somebody", "someone", "anybody", "anyone"])


@dataclass(frozen=True)
class Thing:
    """A thing with a name.

    Attributes:
        name: Its name in singular.
        plural: Its name in plural.
        detected: Labels of detected objects that are this thing.
        labels: Names of the classifier's labels that are this thing.
        parent: Name of the wider thing whose evidence does not tell this one apart; empty if the
            evidence is its own.
        part: For clothes: the half of a person's body that they cover (``upper``, ``lower``), or
            ``worn`` if where they are cannot be told; else empty.
        vivid: Whether its colour stands out from the green around it.
        stuff: Whether it has no shape of its own, and its absence cannot be known.
        missed: Whether detectors overlook it often, so that its absence cannot be known.
    """

    name: str
    plural: str
    detected: frozenset[str] = field(default=frozenset(), repr=False)
    labels: frozenset[str] = field(default=frozenset(), repr=False)
    parent: str = ""
    part: str = ""
    vivid: bool = False
    stuff: bool = False
    missed: bool = False

    def phrase(self, count: int = 1) -> str:
        """Return its name with an article, or in plural."""
        if count != 1:
            return self.plural
        return self.name if self.uncountable else with_article(self.name)

    @property
    def uncountable(self) -> bool:
        """Whether it takes no article."""
        return self.plural == self.name and self.name not in ("sheep", "fish", "sky")


class Things:
    """All things, found by their names.

    Args:
        entries: Entries of ``things.yaml``.
        labels: The classifier's vocabulary.
    """

    def __init__(self, entries: list[dict[str, object]], labels: Vocabulary) -> None:
        self._labels = labels
        self._by_word: dict[str, Thing] = {}
        self._by_detected: dict[str, Thing] = {}
        for entry in entries:
            self._add(entry)

    def find(self, noun: str) -> Thing | None:
        """Return the thing that a singular or plural noun names; None if no expert knows it."""
        for form in singulars(noun):
            if form in self._by_word:
                return self._by_word[form]
        concept = self._labels.find(noun)
        if concept is None:
            return None
        names = frozenset(self._labels.labels[index] for index in concept.labels)
        name = next((f for f in singulars(noun) if f in concept.words), concept.words[0])
        uncountable = concept.phrase == concept.words[0]
        return Thing(name, name if uncountable else plural(name), labels=names)

    def of_detection(self, label: str) -> Thing:
        """Return the narrowest thing that a detected object is."""
        known = self._by_detected.get(label) or self.find(label)
        return known or Thing(label, plural(label), frozenset({label}))

    def of_label(self, label: str) -> Thing | None:
        """Return the narrowest thing with its own word that a label of the classifier is."""
        wider = [
            thing
            for thing in dict.fromkeys(self._by_word.values())
            if label in thing.labels and not thing.parent
        ]
        groups = (self.find(group.words[0]) for group in self._labels.groups)
        wider += [thing for thing in groups if thing and label in thing.labels]
        return min(wider, key=lambda thing: len(thing.labels), default=None)

    def named(self, name: str) -> Thing:
        """Return a listed thing.

        Raises:
            KeyError: It is not listed.
        """
        return self._by_word[name]

    def _add(self, entry: dict[str, object]) -> None:
        words = [str(word) for word in entry["words"]]  # type: ignore[attr-defined]
        given = entry.get("labels")
        parent = str(entry.get("kind of", ""))
        sources = [str(each) for each in given] if isinstance(given, list) else words
        if parent and given is None:
            sources = []
        labels: set[str] = set()
        for source in sources:
            if source in imagenet_labels():
                labels.add(source)
            elif concept := self._labels.find(source):
                labels.update(self._labels.labels[index] for index in concept.labels)
        detected = entry.get("detected")
        common = {
            "detected": frozenset(detected if isinstance(detected, list) else ()),
            "labels": frozenset(labels),
            "parent": parent,
            "part": str(entry.get("part", "")),
            "vivid": bool(entry.get("vivid")),
            "stuff": bool(entry.get("stuff")),
            "missed": bool(entry.get("missed")),
        }
        first = Thing(words[0], plural(words[0]), **common)  # type: ignore[arg-type]
        for word in words:
            # A narrower word keeps its own name in answers: "a bike", "a taxi".
            own = Thing(word, plural(word), **common)  # type: ignore[arg-type]
            self._by_word[word] = first if word in _PRONOUNS else own
        for label in first.detected:
            known = self._by_detected.get(label)
            if known is None or len(first.detected) < len(known.detected):
                self._by_detected[label] = first


@cache
def things() -> Things:
    """Return the things of ``things.yaml`` and those that the classifier knows beside."""
    text = (files("edgewright.tools.vision.asking") / "things.yaml").read_text("utf-8")
    return Things(yaml.load(text, Loader=yaml.CSafeLoader)["things"], vocabulary())
