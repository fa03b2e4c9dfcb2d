"""Easy-VQA: images of one coloured shape each, with questions and captions.

The set is that of the package ``easy-vqa`` (MIT). It has no captions; they are composed of the
shape and colour that its questions and answers state, in five wordings, the references of CIDEr.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageOps

from edgewright.tools.codec_training.images import ImageSet, with_augmentations
from edgewright.tools.errors import NotFoundError
from edgewright.tools.models.engines.torch.blip import BlipCaptioning, BlipQuestions

LICENCE = "MIT"
SHAPES = ("circle", "rectangle", "triangle")
COLOURS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")
_WORDINGS = (
    "a {colour} {shape}",
    "there is a {colour} {shape} in the image",
    "the image contains a {colour} {shape}",
    "the shape is a {colour} {shape}",
    "a {shape} that is {colour}",
)
#: One scene in this many of the training part is held out for validation.
_HELD_OUT = 12


@dataclass(frozen=True)
class Scene:
    """An image with its questions and captions.

    Attributes:
        image: The file.
        questions: Pairs of question and answer.
        captions: Five captions; none if the questions do not state shape and colour.
    """

    image: Path
    questions: tuple[tuple[str, str], ...]
    captions: tuple[str, ...]


def load(part: str) -> list[Scene]:
    """Return the scenes of a part of the set.

    Args:
        part: ``train`` or ``test``.

    Raises:
        NotFoundError: The set is not installed (``data_missing``).
    """
    try:
        import easy_vqa
    except ImportError:
        raise NotFoundError(
            "the set easy-vqa is not installed; pip install easy-vqa", code="data_missing"
        ) from None
    questions, answers, images = getattr(easy_vqa, f"get_{part}_questions")()
    paths = getattr(easy_vqa, f"get_{part}_image_paths")()
    questions_of: dict[int, list[tuple[str, str]]] = {image: [] for image in paths}
    for question, answer, image in zip(questions, answers, images, strict=True):
        questions_of[image].append((question, answer))
    return [
        Scene(Path(paths[image]), tuple(questions_of[image]), captions_of(questions_of[image]))
        for image in sorted(questions_of)
        if questions_of[image]
    ]


def split_held_out(scenes: Sequence[Scene]) -> tuple[list[Scene], list[Scene]]:
    """Return the scenes of the training part to train on, and those to validate on."""
    count = len(scenes) // _HELD_OUT
    return list(scenes[:-count]), list(scenes[-count:])


def captions_of(questions: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the captions of an image as its questions and answers describe it.

    Args:
        questions: Pairs of question and answer.

    Returns:
        A caption in each wording; none if shape or colour is not stated.
    """
    facts: set[str] = set()
    for question, answer in questions:
        words = set(question.rstrip("?").split())
        # What a question presupposes or an answer affirms is in the image.
        if answer not in ("yes", "no"):
            facts |= {answer, *words}
        elif (answer == "yes") != bool(words & {"not", "no"}):
            facts |= words
    shapes, colours = facts.intersection(SHAPES), facts.intersection(COLOURS)
    if len(shapes) != 1 or len(colours) != 1:
        return ()
    return tuple(wording.format(colour=min(colours), shape=min(shapes)) for wording in _WORDINGS)


class Written:
    """The words that a BLIP should write about images (``Answers``).

    Each row is a word to predict from the preceding ones, the image and, if there is one, the
    question.

    Args:
        adapter: The model.
        questions: For each image, the question of each text; empty for a captioner.
        texts: For each image, the answers or captions.
        ends: Whether the end of a text counts as a word.
    """

    def __init__(
        self,
        adapter: BlipQuestions | BlipCaptioning,
        questions: Sequence[Sequence[str]],
        texts: Sequence[Sequence[str]],
        *,
        ends: bool,
    ) -> None:
        self._adapter = adapter
        self._questions: torch.Tensor | None = None
        if isinstance(adapter, BlipQuestions):
            question_tokens, mask = adapter.question_tokens(
                [one for each in questions for one in each]
            )
            self._questions, self._question_lengths = question_tokens, mask.sum(1)
        tokens, mask = adapter.tokens([text for each in texts for text in each])
        self._inputs, following = tokens[:, :-1], tokens[:, 1:]
        self._is_row = torch.zeros_like(following, dtype=torch.bool)
        words = mask[:, 1:] if ends else mask[:, 2:]
        self._is_row[:, : words.shape[1]] = words.bool()
        self.truth: torch.Tensor | None = following[self._is_row]
        self._texts = _Ranges(torch.tensor([len(each) for each in texts]))
        self._rows = _Ranges(self._is_row.sum(1))

    def rows(self, images: torch.Tensor) -> torch.Tensor:
        """Return the rows of some images; see ``Answers``."""
        return self._rows.of(self._texts.of(images))

    def scores(self, output: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Return the logits of each word; see ``Answers``."""
        selected = self._texts.of(images)
        states = output.repeat_interleave(self._texts.lengths[images], dim=0)
        logits = self._logits(states, selected)
        return logits[self._is_row[selected]]

    def _logits(self, states: torch.Tensor, selected: torch.Tensor) -> torch.Tensor:
        """Return the logits after every token of some texts, given image and question."""
        if not isinstance(self._adapter, BlipQuestions):
            return self._adapter.scores(states, self._inputs[selected])
        assert self._questions is not None
        lengths = self._question_lengths[selected]
        order, parts = [], []
        for length in sorted(set(lengths.tolist())):  # questions of equal length need no padding
            (rows,) = torch.nonzero(lengths == length, as_tuple=True)
            question_tokens = self._questions[selected[rows], :length]
            read = self._adapter.states(states[rows], question_tokens)
            parts.append(self._adapter.scores(read, self._inputs[selected[rows]]))
            order.append(rows)
        return torch.cat(parts)[torch.cat(order).argsort()]


class _Ranges:
    """Consecutive ranges of row numbers, one for each item.

    Args:
        lengths: Length of each range, int64 ``[N]``.
    """

    def __init__(self, lengths: torch.Tensor) -> None:
        self.lengths = lengths
        self._ends = lengths.cumsum(0)

    def of(self, items: torch.Tensor) -> torch.Tensor:
        """Return the numbers in the ranges of some items, int64."""
        lengths = self.lengths[items]
        before = lengths.cumsum(0) - lengths
        first = self._ends[items] - lengths
        return (first - before).repeat_interleave(lengths) + torch.arange(int(lengths.sum()))


def answered(
    adapter: BlipQuestions | BlipCaptioning,
    scenes: Sequence[Scene],
    *,
    part: str,
    mirrored: bool = False,
    ends: bool = False,
) -> ImageSet:
    """Return scenes as images with the words that the model should write about them.

    Args:
        adapter: The model; it answers the questions, or writes the captions.
        scenes: The scenes; a captioner gets only those with captions.
        part: Name of the part, such as ``training``.
        mirrored: Add each image mirrored, which changes neither shape nor colour.
        ends: Whether the end of an answer counts as a word; that of a caption always does.
    """
    asks = isinstance(adapter, BlipQuestions)
    selected = [scene for scene in scenes if asks or scene.captions]
    turns = (ImageOps.mirror,) if mirrored else ()

    def read() -> Iterator[Image.Image]:
        for scene in selected:
            with Image.open(scene.image) as image:
                yield image.convert("RGB")

    times = 1 + len(turns)
    questions = [[question for question, _ in scene.questions] for scene in selected if asks]
    texts = [
        [answer for _, answer in scene.questions] if asks else scene.captions for scene in selected
    ]
    return ImageSet(
        name=f"easy-vqa, {part}",
        licence=LICENCE,
        count=len(selected) * times,
        read=lambda: with_augmentations(read, turns),
        answers=Written(adapter, questions * times, texts * times, ends=ends or not asks),
    )
