"""The methods that are compared: labels alone, detectors alone, and all experts together."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgewright.benchmarks.workloads.labelled_photographs import Photograph
from edgewright.tools.contracts.perceptions import Perceptions
from edgewright.tools.errors import RefusedError
from edgewright.tools.images.decode import decode
from edgewright.tools.library import load_adapter
from edgewright.tools.vision.answering.answerer import EvidenceAnswerer
from edgewright.tools.vision.answering.captions import EvidenceCaptioner
from edgewright.tools.vision.approximate import LabelCaptioner, LabelQuestionAnswerer
from edgewright.tools.vision.classification import probabilities_of
from edgewright.tools.vision.labels import vocabulary
from edgewright.tools.vision.perception.needed import DETECTOR, SECOND_DETECTOR
from edgewright.tools.vision.perception.networks import Networks
from edgewright.tools.vision.perception.objects import ObjectFinder
from edgewright.tools.vision.perception.perceivers import Perceivers
from edgewright.tools.vision.scene import Scene

CLASSIFIER = "efficientnet-lite0"


@dataclass(frozen=True)
class Answered:
    """What a method said about one photograph.

    Attributes:
        outputs: Output by question; None if it was refused.
        refusals: The reason by question that was refused.
        caption: Output of the captioner; ``things`` lists what it names.
        stages_ms: Milliseconds by kind of perception.
    """

    outputs: dict[str, dict[str, Any] | None]
    refusals: dict[str, str]
    caption: dict[str, Any]
    stages_ms: dict[str, float] = field(default_factory=dict)


Method = Callable[[Photograph], Answered]


def methods() -> dict[str, Method]:
    """Return the methods by name, in the order of the table."""
    networks = Networks(threads=1)
    everything = Perceivers(networks, threads=1).by_kind()
    finder = ObjectFinder(
        lambda pixels: networks.session(DETECTOR).run(pixels),
        lambda pixels: networks.session(SECOND_DETECTOR).run(pixels),
        None,
    )

    def detectors_alone(photograph: Photograph) -> Answered:
        image = decode(photograph.data)
        nothing = Perceptions(
            width=image.width, height=image.height, texts=(), poses=(), faces=(), labels=()
        )
        perceivers = {**everything, "candidates": lambda scene: finder.candidates(scene.image)}
        return _by_evidence(photograph, Scene(image, perceivers, nothing))

    def all_together(photograph: Photograph) -> Answered:
        return _by_evidence(photograph, Scene(decode(photograph.data), everything))

    return {
        "labels alone": _by_labels,
        "detectors alone": detectors_alone,
        "all together": all_together,
    }


def _by_evidence(photograph: Photograph, scene: Scene) -> Answered:
    answerer = EvidenceAnswerer()
    outputs, refusals = _asked(photograph, lambda args: answerer.answer(scene, args))
    caption = EvidenceCaptioner().answer(scene, {})
    return Answered(outputs, refusals, caption, scene.stages_ms)


def _by_labels(photograph: Photograph) -> Answered:
    adapter = load_adapter(CLASSIFIER, threads=1)
    image = adapter.array(adapter.preprocess(decode(photograph.data)))
    logits = adapter.run(image, 0, len(adapter.block_names))
    answerer = LabelQuestionAnswerer()
    outputs, refusals = _asked(photograph, lambda args: answerer.postprocess(logits, args))
    concept, _ = vocabulary().name(probabilities_of(logits))
    caption = {**LabelCaptioner().postprocess(logits, {}), "things": list(concept.words[:1])}
    if "does not recognise" in caption["text"]:
        caption["things"] = []
    return Answered(outputs, refusals, caption)


def _asked(
    photograph: Photograph, answer: Callable[[Mapping[str, str]], dict[str, Any]]
) -> tuple[dict[str, dict[str, Any] | None], dict[str, str]]:
    outputs: dict[str, dict[str, Any] | None] = {}
    refusals: dict[str, str] = {}
    for question in photograph.questions:
        text = question["question"]
        try:
            outputs[text] = answer({"question": text})
        except RefusedError as error:
            outputs[text], refusals[text] = None, error.message
    return outputs, refusals


def median_ms(answered: list[Answered]) -> dict[str, float]:
    """Return the median milliseconds of each kind of perception, the first photograph left out."""
    kinds = {kind for each in answered for kind in each.stages_ms}
    return {
        kind: statistics.median(
            [each.stages_ms[kind] for each in answered[1:] if kind in each.stages_ms] or [0.0]
        )
        for kind in sorted(kinds)
    }
