"""Approximate experts that caption images and answer questions from labels alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright.tools.models.adapter import Features
from edgewright.tools.vision.arguments import question_of
from edgewright.tools.vision.classification import percent, probabilities_of, top_labels
from edgewright.tools.vision.labels import Concept, Vocabulary, vocabulary
from edgewright.tools.vision.questions import Question, understand

# The decision rule uses the probability that the main subject is the queried concept. From YES on,
# the answer is yes. Below NO it is no, provided that the classifier recognises something else (with
# at least RECOGNISED, and not a wider group that contains the concept). Otherwise it is unsure.
YES = 0.5
NO = 0.15
RECOGNISED = 0.2

_UNRECOGNISED = "The classifier does not recognise this image"


class LabelCaptioner:
    """Captions an image by naming its main subject; implements ``Expert``."""

    id = "label-captioner"
    card = "image-to-text"
    model = "efficientnet-lite0"
    approximate = True

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Return one sentence, hedged according to the probabilities."""
        words = vocabulary()
        probabilities = probabilities_of(output)
        concept, score = words.name(probabilities)
        thing = _phrase(concept, probabilities, words)
        if score >= 0.8:
            text = f"An image that very probably shows {thing}."
        elif score >= YES:
            text = f"An image that probably shows {thing}."
        elif score >= RECOGNISED:
            text = f"An image that may show {thing}, but the classifier is not sure."
        else:
            text = (
                "An image whose subject the classifier does not recognise; its best guess, "
                f"{thing}, has only {percent(score)}."
            )
        return {"text": text, "score": round(score, 4)}


class LabelQuestionAnswerer:
    """Answers "is there a …" and "what is it" from labels, and refuses other questions."""

    id = "label-question-answerer"
    card = "visual-question-answering"
    model = "efficientnet-lite0"
    approximate = True

    def check(self, args: Mapping[str, str]) -> None:
        """Refuse questions that labels cannot answer."""
        understand(question_of(args), vocabulary())

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Answer by the decision rule; ``answer`` is ``yes``, ``no``, ``unsure`` or a name."""
        words = vocabulary()
        probabilities = probabilities_of(output)
        question = understand(question_of(args), words)
        answer_question = _presence if question.kind == "presence" else _what
        answer = answer_question(question, probabilities, words)
        return {**answer, "labels": top_labels(probabilities, words.labels)}


def _presence(question: Question, probabilities: list[float], words: Vocabulary) -> dict[str, Any]:
    assert question.concept is not None
    thing, score = question.concept.phrase, question.concept.score(probabilities)
    subject, subject_score = words.name(probabilities)
    found = f"{thing} ({percent(score)})"
    if score >= YES:
        return _answer("yes", f"Yes, probably: the image seems to show {found}.", score)
    if score >= NO or set(question.concept.labels) & set(subject.labels):
        return _answer("unsure", f"I cannot tell: it may show {found}, or something else.", score)
    if subject_score < RECOGNISED:
        return _answer("unsure", f"{_UNRECOGNISED}, so I cannot tell about {thing}.", score)
    text = f"Probably not: no sign of {found}; the image seems to show {subject.phrase}."
    return _answer("no", text, score)


def _what(question: Question, probabilities: list[float], words: Vocabulary) -> dict[str, Any]:
    subject, score = words.name(probabilities)
    if question.concept is not None:
        group_score = question.concept.score(probabilities)
        if group_score < YES:
            found = f"{question.concept.phrase} ({percent(group_score)})"
            return _answer(
                "unsure", f"I cannot tell: {found} does not stand out here.", group_score
            )
    if score < RECOGNISED:
        text = f"{_UNRECOGNISED}; the best guess, {subject.phrase}, has {percent(score)}."
        return _answer("unsure", text, score)
    hedge = "Probably" if score >= YES else "Perhaps"
    thing = _phrase(subject, probabilities, words)
    return _answer(subject.words[0], f"{hedge} {thing} ({percent(score)}).", score)


def _answer(answer: str, text: str, score: float) -> dict[str, Any]:
    return {"text": text, "answer": answer, "score": round(score, 4)}


def _phrase(concept: Concept, probabilities: list[float], words: Vocabulary) -> str:
    """Return a concept's phrase, with the most probable label if it is a group."""
    if len(concept.labels) == 1:
        return concept.phrase
    best = max(concept.labels, key=probabilities.__getitem__)
    return f"{concept.phrase}, perhaps {words.label_concept(best).phrase}"
