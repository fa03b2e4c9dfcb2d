"""What a question that compares images measures of one of them."""

from __future__ import annotations

from dataclasses import replace

from edgewright.tools.vision.answering.answers import Answer, Comparison
from edgewright.tools.vision.answering.appearance import blur, lightness, looks
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.answering.presence import count
from edgewright.tools.vision.answering.whole_image import size
from edgewright.tools.vision.asking import programs as p


def compared(program: p.Compared, evidence: Evidence) -> Answer:
    """Answer for one image what is compared, with its measure."""
    answer, measure = _measured(program.measured, evidence)
    measure = -measure if program.least else measure
    return replace(answer, comparison=Comparison(measure, program.best))


def _measured(program: p.Count | p.Looks | p.Size, evidence: Evidence) -> tuple[Answer, float]:
    if isinstance(program, p.Count):
        answer = count(program, evidence)
        return answer, float(answer.short)
    if isinstance(program, p.Size):
        return size(program, evidence), float(evidence.image.width * evidence.image.height)
    light = program.quality == "light"
    measure = lightness(evidence.image) if light else -blur(evidence.image)
    return looks(program, evidence), measure
