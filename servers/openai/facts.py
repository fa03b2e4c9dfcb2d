"""What the results of a reply say, in the forms that a JSON schema can ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgewright.graphs.assistant.session import Reply

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
#: Output with the labels that a whole image may have, and the score from which one is a finding.
_GUESSES, _LIKELY = "labels", 0.5
_AFFIRMATIONS = {"yes": True, "true": True, "no": False, "false": False}


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a name such as ``is_person``, ``shortSummary`` or "door open"."""
    return tuple(word.lower() for word in _WORD.findall(text))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What some results say.

    Attributes:
        texts: The statement of each result.
        values: Values of the outputs, by their names.
        labels: What was recognised, by label, with its highest score.
        objects: The outputs' lists of objects, by name; not the labels that an image may have.
        answer: Yes or no, if a question was answered so.
        scores: How certain the results are, 0 to 1.
    """

    texts: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    objects: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    answer: bool | None = None
    scores: tuple[float, ...] = ()

    def named(self, name: str) -> Any:
        """Return the value whose name has the same words; None if there is none."""
        wanted = words_of(name)
        found = (value for key, value in self.values.items() if words_of(key) == wanted)
        return next(found, None)

    @property
    def certainty(self) -> float | None:
        """Return how certain the least certain result is; None if none says so."""
        return min(self.scores, default=None)


def facts_of(reply: Reply) -> Facts:
    """Return what the successful results of a reply say."""
    outputs = [result.output for result in reply.results if result.status == "ok"]
    leaves = [leaf for output in outputs for leaf in _leaves(output)]
    objects: dict[str, list[dict[str, Any]]] = {}
    for name, value in leaves:
        if _is_objects(value) and name != _GUESSES:
            objects.setdefault(name, []).extend(value)
    plain = [leaf for leaf in leaves if leaf[0] != "text" and not _is_objects(leaf[1])]
    answers = [answer for output in outputs if (answer := _yes_or_no(output)) is not None]
    return Facts(
        texts=tuple(str(output["text"]) for output in outputs if output.get("text")),
        values=dict(reversed(plain)),  # the first of several
        labels=_labels(leaves),
        objects=objects,
        answer=answers[0] if answers else None,
        scores=tuple(score for output in outputs if (score := _certainty(output)) is not None),
    )


def _labels(leaves: list[tuple[str, Any]]) -> dict[str, float]:
    """Return what was recognised; of the labels that an image may have, the likely ones."""
    labels: dict[str, float] = {}
    for name, value in leaves:
        for each in value if _is_objects(value) else ():
            label, score = str(each["label"]).lower(), float(each.get("score") or 0.0)
            if name != _GUESSES or score >= _LIKELY:
                labels[label] = max(score, labels.get(label, 0.0))
    return labels


def _yes_or_no(output: Mapping[str, Any]) -> bool | None:
    said = str(output.get("answer") or output.get("text") or "").strip().lower()
    return _AFFIRMATIONS.get(said.partition(" ")[0].rstrip(",.!"))


def _certainty(output: Mapping[str, Any]) -> float | None:
    """Return how certain an output is, 0 to 1; None if it does not say."""
    score = output.get("score")
    if isinstance(score, int | float):
        # It is that of what was asked about: a low one makes a "no" certain.
        return 1.0 - score if _yes_or_no(output) is False else float(score)
    return max(_labels([*_leaves(output)]).values(), default=None)


def _leaves(output: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values, those of nested objects among them."""
    for name, value in output.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield name, value


def _is_objects(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and "label" in each for each in value)
    )
