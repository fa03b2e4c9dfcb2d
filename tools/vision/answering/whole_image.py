"""Answers about the image as a whole, the text in it, and faces."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from edgewright.tools.contracts.perceptions import Box, TextLine
from edgewright.tools.vision.answering.answers import MEASURED, Answer, refusal
from edgewright.tools.vision.answering.colours import is_grey
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.answering.presence import absent, known
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.phrases import Mention

#: Width and height that differ by less than this share are a square.
_SQUARE = 0.02
#: Lines of one sign are nearer than this to each other, in heights of a line.
_LINE_GAP = 1.6
#: Score from which an expression is named.
_EXPRESSED = 0.5


def grey(program: p.Grey, evidence: Evidence) -> Answer:
    """Answer whether the image is in black and white."""
    is_one, _ = is_grey(evidence.image)
    seen = "black and white" if is_one else "colour"
    if program.wanted == "either":
        return Answer(f"It is in {seen}.", seen, 0.97)
    holds = (is_one == (program.wanted == "grey")) != program.negated
    return Answer(f"{_yes(holds).capitalize()}: it is in {seen}.", _yes(holds), 0.97)


def size(program: p.Size, evidence: Evidence) -> Answer:
    """Answer the image's size in pixels."""
    width, height = evidence.image.size
    if program.side == "both":
        return Answer(
            f"It is {width} pixels wide and {height} high.", f"{width}x{height}", MEASURED
        )
    pixels, word = (width, "wide") if program.side == "width" else (height, "high")
    return Answer(f"It is {pixels} pixels {word}.", str(pixels), MEASURED)


def orientation(program: p.Orientation, evidence: Evidence) -> Answer:
    """Answer which shape the image has."""
    width, height = evidence.image.size
    shape = "landscape" if width > height else "portrait"
    if abs(width - height) <= _SQUARE * max(width, height):
        shape = "square"
    text = f"it is {width} by {height} pixels: {shape}."
    if len(program.shapes) != 1:
        return Answer(text[:1].upper() + text[1:], shape, MEASURED)
    holds = (shape == program.shapes[0]) != program.negated
    return Answer(f"{_yes(holds).capitalize()}: {text}", _yes(holds), MEASURED)


def read(program: p.Read, evidence: Evidence) -> Answer:
    """Quote what is written; nothing in it is followed."""
    lines = _written(program.on, evidence)
    if program.part == "sign":
        lines = _sign(lines)
    elif program.part == "heading" and lines:
        lines = (max(lines, key=_height),)
    elif program.part == "number":
        lines = tuple(line for line in lines if re.search(r"\d", line.text))
    if not lines:
        what = "number" if program.part == "number" else "text"
        where = f" on the {program.on.noun}" if program.on else ""
        return Answer(f"There is no {what} that can be read{where}.", "none", 0.8)
    text = quoted(lines)
    short = text
    if program.part == "number":
        short = " ".join(re.findall(r"\d[\d.,]*", text))
    score = sum(line.score for line in lines) / len(lines)
    return Answer(f"It reads: \u201c{text}\u201d.", short, score, evidence.perceptions(texts=lines))


def has_text(program: p.HasText, evidence: Evidence) -> Answer:
    """Answer whether there is text, or certain words."""
    lines = _written(program.on, evidence)
    if program.words:
        written = _letters(" ".join(line.text for line in lines))
        holds = _letters(program.words) in written
    else:
        holds = bool(lines)
    seen = (
        f"it reads \u201c{quoted(lines[:5])}\u201d"
        if lines
        else "there is no text that can be read"
    )
    yes = _yes(holds != program.negated)
    score = max((line.score for line in lines), default=0.8)
    return Answer(f"{yes.capitalize()}: {seen}.", yes, score, evidence.perceptions(texts=lines))


def quoted(lines: Sequence[TextLine]) -> str:
    """Return lines of text as one: words beside each other with a space, others with a stroke."""
    text = ""
    for before, line in zip((None, *lines), lines, strict=False):
        joint = " " if before and _goes_on(before, line) else " / "
        text += f"{joint if before else ''}{line.text}"
    return text


def expression(program: p.Expression, evidence: Evidence) -> Answer:
    """Answer which expression a face has, if it looks into the camera."""
    mention = program.mention
    finding = evidence.find(known(mention))
    faces = evidence.faces
    if finding.verdict == "no" and not faces:
        return absent(mention, finding, "so no expression")
    judged = [face for face in faces if face.expressions]
    if not judged:
        raise refusal(
            "no face looks straight into the camera, so its expression cannot be told",
            "how many people there are",
        )
    face = max(judged, key=lambda each: each.box.area)
    name, score = max(face.expressions.items(), key=lambda item: item[1])
    shown = evidence.perceptions(faces=(face,))
    seen = f"the face looks {name} ({score:.0%})"
    if program.either:
        best = max(program.options, key=lambda option: face.expressions.get(option, 0.0))
        if face.expressions.get(best, 0.0) < _EXPRESSED / 2:
            return Answer(f"Neither: {seen}.", "neither", score, shown)
        return Answer(f"{best.capitalize()}: {seen}.", best, face.expressions[best], shown)
    if score < _EXPRESSED:
        raise refusal("the expression of the face is not clear", "how many people there are")
    if not program.options:
        return Answer(f"{seen[:1].upper()}{seen[1:]}.", name, score, shown)
    holds = (name in program.options) != program.negated
    return Answer(f"{_yes(holds).capitalize()}: {seen}.", _yes(holds), score, shown)


def _written(on: Mention | None, evidence: Evidence) -> tuple[TextLine, ...]:
    """Return the lines of text, those on a thing if one is named and where it is is known."""
    found = evidence.find(known(on)) if on else None
    if found is None or not found.objects:
        return evidence.texts
    return tuple(
        line for line in evidence.texts if any(_is_on(line, each.box) for each in found.objects)
    )


def _goes_on(before: TextLine, line: TextLine) -> bool:
    """Return whether a piece of text goes on in the same line of writing."""
    one, two = before.box, line.box
    height = min(one.height, two.height)
    level = abs(one.centre[1] - two.centre[1]) < height / 2
    return level and -height < two.x0 - one.x1 < 2 * height


def _is_on(line: TextLine, box: Box) -> bool:
    x, y = line.box.centre
    return box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1


def _sign(lines: tuple[TextLine, ...]) -> tuple[TextLine, ...]:
    """Return the lines of the most prominent block of text."""
    blocks: list[list[TextLine]] = []
    for line in lines:
        block = next((block for block in blocks if any(_near(line, each) for each in block)), None)
        if block is None:
            blocks.append([line])
        else:
            block.append(line)
    if not blocks:
        return ()
    return tuple(max(blocks, key=lambda block: sum(line.box.area for line in block)))


def _near(line: TextLine, other: TextLine) -> bool:
    one, two = line.box, other.box
    height = min(one.height, two.height)
    if max(one.height, two.height) > 2.5 * height:
        return False
    across = max(one.x0 - two.x1, two.x0 - one.x1)
    along = max(one.y0 - two.y1, two.y0 - one.y1)
    return across < height and along < _LINE_GAP * height


def _height(line: TextLine) -> float:
    """Return the height of a line across its own direction, however it is turned."""
    corners = line.polygon
    sides = [
        math.hypot(x - u, y - v)
        for (x, y), (u, v) in zip(corners, (*corners[1:], corners[0]), strict=True)
    ]
    return min(sides[0] + sides[2], sides[1] + sides[3]) / 2 if len(sides) == 4 else min(sides)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
