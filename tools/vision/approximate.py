"""Stand-ins that caption and answer questions from labels alone, and say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewright.tools.vision.arguments import question_of
from edgewright.tools.vision.classification import percent, probabilities_of, top_labels
from edgewright.tools.vision.labels import Concept, Vocabulary, vocabulary
from edgewright.tools.vision.questions import Question, understand

if TYPE_CHECKING:
    import torch

# The rule that decides, on the probability that the main subject is what was asked for:
# from YES on the answer is yes; below NO it is no, provided that the classifier recognises
# something else (with RECOGNISED at least, and not a wider group that contains what was asked
# for); otherwise it is unsure.
YES = 0.5
NO = 0.15
RECOGNISED = 0.2

_UNRECOGNISED = "The classifier does not recognise this picture"


class LabelCaptioner:
    """Captions a picture by naming its main subject; implements ``Expert``."""

    id = "label-captioner"
    card = "image-to-text"
    model = "efficientnet-lite0"
    approximate = True

    def check(self, args: Mapping[str, str]) -> None:
        """Accept anything: a picture alone is enough."""

    def postprocess(self, output: torch.Tensor, args: Mapping[str, str]) -> dict[str, Any]:
        """Write one sentence that hedges as much as the probabilities ask for."""
        words = vocabulary()
        probabilities = probabilities_of(output)
        concept, score = words.name(probabilities)
        thing = _described(concept, probabilities, words)
        if score >= 0.8:
            text = f"A picture that very probably shows {thing}."
        elif score >= YES:
            text = f"A picture that probably shows {thing}."
        elif score >= RECOGNISED:
            text = f"A picture that may show {thing}, but the classifier is not sure."
        else:
            text = (
                "A picture whose subject the classifier does not recognise; its best guess, "
                f"{thing}, has only {percent(score)}."
            )
        return {"text": text, "score": round(score, 4)}


class LabelQuestionAnswerer:
    """Answers "is there a …" and "what is it" from labels, and refuses all else."""

    id = "label-question-answerer"
    card = "visual-question-answering"
    model = "efficientnet-lite0"
    approximate = True

    def check(self, args: Mapping[str, str]) -> None:
        """Refuse what labels cannot answer."""
        understand(question_of(args), vocabulary())

    def postprocess(self, output: torch.Tensor, args: Mapping[str, str]) -> dict[str, Any]:
        """Answer by the rule above; ``answer`` is ``yes``, ``no``, ``unsure`` or a name."""
        words = vocabulary()
        probabilities = probabilities_of(output)
        question = understand(question_of(args), words)
        reading = _presence if question.kind == "presence" else _what
        answer = reading(question, probabilities, words)
        return {**answer, "labels": top_labels(probabilities, words.labels)}


def _presence(question: Question, probabilities: list[float], words: Vocabulary) -> dict[str, Any]:
    assert question.concept is not None
    thing, score = question.concept.phrase, question.concept.score(probabilities)
    subject, subject_score = words.name(probabilities)
    found = f"{thing} ({percent(score)})"
    if score >= YES:
        return _answer("yes", f"Yes, probably: the picture seems to show {found}.", score)
    if score >= NO or set(question.concept.labels) & set(subject.labels):
        return _answer("unsure", f"I cannot tell: it may show {found}, or something else.", score)
    if subject_score < RECOGNISED:
        return _answer("unsure", f"{_UNRECOGNISED}, so I cannot tell about {thing}.", score)
    text = f"Probably not: no sign of {found}; the picture seems to show {subject.phrase}."
    return _answer("no", text, score)


def _what(question: Question, probabilities: list[float], words: Vocabulary) -> dict[str, Any]:
    subject, score = words.name(probabilities)
    if question.concept is not None:
        among = question.concept.score(probabilities)
        if among < YES:
            found = f"{question.concept.phrase} ({percent(among)})"
            return _answer("unsure", f"I cannot tell: {found} does not stand out here.", among)
    if score < RECOGNISED:
        text = f"{_UNRECOGNISED}; the best guess, {subject.phrase}, has {percent(score)}."
        return _answer("unsure", text, score)
    hedge = "Probably" if score >= YES else "Perhaps"
    thing = _described(subject, probabilities, words)
    return _answer(subject.words[0], f"{hedge} {thing} ({percent(score)}).", score)


def _answer(answer: str, text: str, score: float) -> dict[str, Any]:
    return {"text": text, "answer": answer, "score": round(score, 4)}


def _described(concept: Concept, probabilities: list[float], words: Vocabulary) -> str:
    """Name a concept, with the best of its labels when it is a group of several."""
    if len(concept.labels) == 1:
        return concept.phrase
    best = max(concept.labels, key=probabilities.__getitem__)
    return f"{concept.phrase}, perhaps {words.own(best).phrase}"
