"""The expert that answers questions from evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.answering import (
    appearance,
    attributes,
    captions,
    comparing,
    presence,
    surroundings,
    whole_image,
)
from edgewright.tools.vision.answering.answers import Answer
from edgewright.tools.vision.answering.claims import CLAIM, disputed_answer
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.arguments import question_of
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.grammar import parse
from edgewright.tools.vision.perception.needed import DETECTOR, SECOND_DETECTOR
from edgewright.tools.vision.scene import Scene

#: How each kind of program is run.
_RUNNERS: Mapping[type, Callable[[Any, Evidence], Answer]] = {
    p.Exists: presence.exists,
    p.Choice: presence.choice,
    p.Count: presence.count,
    p.Compare: presence.compare,
    p.Compared: comparing.compared,
    p.Which: presence.which,
    p.Unknowable: presence.unknowable,
    p.Bigger: attributes.bigger,
    p.Colour: attributes.colour,
    p.Colours: appearance.colours,
    p.IsColour: attributes.is_colour,
    p.Where: attributes.where,
    p.IsAt: attributes.is_at_place,
    p.Related: attributes.is_related,
    p.RelatedWhat: attributes.related_what,
    p.Read: whole_image.read,
    p.HasText: whole_image.has_text,
    p.Expression: whole_image.expression,
    p.Grey: whole_image.grey,
    p.Looks: appearance.looks,
    p.Size: whole_image.size,
    p.Orientation: whole_image.orientation,
    p.Setting: surroundings.setting,
    p.Describe: captions.description,
    p.Largest: attributes.largest,
}


class EvidenceAnswerer:
    """Answers questions from what experts see, with the evidence; implements ``SceneExpert``."""

    id = "evidence-question-answerer"
    card = "visual-question-answering"
    model = PERCEPTION
    approximate = False
    needs = (DETECTOR, SECOND_DETECTOR)

    def check(self, args: Mapping[str, str]) -> None:
        """Refuse questions that cannot be answered from an image."""
        parse(question_of(args))

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Run the question's program; ``answer`` is its result in a word."""
        answer = answered(question_of(args), scene)
        if claim := args.get(CLAIM):
            return {**answer.output(), "disputes": disputed_answer(claim, answer)}
        return answer.output()


def answered(question: str, scene: Scene) -> Answer:
    """Answer a question about a scene.

    Raises:
        RefusedError: The answer cannot be known; the message says what can be asked instead.
    """
    program = parse(question)
    return _RUNNERS[type(program)](program, Evidence(scene))
