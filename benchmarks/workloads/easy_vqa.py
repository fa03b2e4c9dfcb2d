"""Easy-VQA: pictures of one coloured shape each, questions about them, and captions.

The set is that of the package ``easy-vqa`` (MIT). It has no captions; they are put together from
shape and colour as its questions and answers tell them, in five wordings, the references of CIDEr.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageOps

from edgewright.tools.codec_training.images import ImageSet, with_turns
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
#: One scene of so many of the training part is kept back, to choose by.
_HELD_OUT = 12


@dataclass(frozen=True)
class Scene:
    """A picture and what is known of it.

    Attributes:
        picture: Its file.
        questions: With their answers.
        captions: Five of them; none where the questions do not tell shape and colour.
    """

    picture: Path
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
    asked: dict[int, list[tuple[str, str]]] = {image: [] for image in paths}
    for question, answer, image in zip(questions, answers, images, strict=True):
        asked[image].append((question, answer))
    return [
        Scene(Path(paths[image]), tuple(asked[image]), captions_of(asked[image]))
        for image in sorted(asked)
        if asked[image]
    ]


def split_held_out(scenes: Sequence[Scene]) -> tuple[list[Scene], list[Scene]]:
    """Return the scenes of the training part to train on, and those to choose by."""
    count = len(scenes) // _HELD_OUT
    return list(scenes[:-count]), list(scenes[-count:])


def captions_of(questions: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the captions of a picture by what its questions and answers say of it.

    Args:
        questions: With their answers.

    Returns:
        One in each wording; none where shape or colour is not told.
    """
    told: set[str] = set()
    for question, answer in questions:
        words = set(question.rstrip("?").split())
        # What a question takes for granted or affirms is in the picture, and so is its answer.
        if answer not in ("yes", "no"):
            told |= {answer, *words}
        elif (answer == "yes") != bool(words & {"not", "no"}):
            told |= words
    shapes, colours = told.intersection(SHAPES), told.intersection(COLOURS)
    if len(shapes) != 1 or len(colours) != 1:
        return ()
    return tuple(wording.format(colour=min(colours), shape=min(shapes)) for wording in _WORDINGS)


class Written:
    """What a BLIP writes about pictures, word for word (``Answers``).

    Each row is a word that is to follow those before it, given the picture and, if there is one,
    the question.

    Args:
        adapter: The model.
        questions: For each picture, the question of each text; empty for a captioner.
        texts: For each picture, the answers or captions.
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
            asked, mask = adapter.question_tokens([one for each in questions for one in each])
            self._questions, self._question_lengths = asked, mask.sum(1)
        tokens, mask = adapter.tokens([text for each in texts for text in each])
        self._written, following = tokens[:, :-1], tokens[:, 1:]
        self._counted = torch.zeros_like(following, dtype=torch.bool)
        words = mask[:, 1:] if ends else mask[:, 2:]
        self._counted[:, : words.shape[1]] = words.bool()
        self.truth: torch.Tensor | None = following[self._counted]
        self._texts = _Runs(torch.tensor([len(each) for each in texts]))
        self._rows = _Runs(self._counted.sum(1))

    def rows(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the rows of some pictures; see ``Answers``."""
        return self._rows.of(self._texts.of(pictures))

    def scores(self, output: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
        """Return the logits of each word; see ``Answers``."""
        chosen = self._texts.of(pictures)
        states = output.repeat_interleave(self._texts.lengths[pictures], dim=0)
        logits = self._logits(states, chosen)
        return logits[self._counted[chosen]]

    def _logits(self, states: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Return the logits behind every token of some texts, given what is known of each."""
        if not isinstance(self._adapter, BlipQuestions):
            return self._adapter.scores(states, self._written[chosen])
        assert self._questions is not None
        lengths = self._question_lengths[chosen]
        order, parts = [], []
        for length in sorted(set(lengths.tolist())):  # questions of one length need no padding
            (at,) = torch.nonzero(lengths == length, as_tuple=True)
            asked = self._questions[chosen[at], :length]
            read = self._adapter.states(states[at], asked)
            parts.append(self._adapter.scores(read, self._written[chosen[at]]))
            order.append(at)
        return torch.cat(parts)[torch.cat(order).argsort()]


class _Runs:
    """Consecutive runs of a numbering, one for each thing.

    Args:
        lengths: How long each run is, int64 ``[N]``.
    """

    def __init__(self, lengths: torch.Tensor) -> None:
        self.lengths = lengths
        self._stops = lengths.cumsum(0)

    def of(self, things: torch.Tensor) -> torch.Tensor:
        """Return the numbers in the runs of some things, int64."""
        lengths = self.lengths[things]
        before = lengths.cumsum(0) - lengths
        first = self._stops[things] - lengths
        return (first - before).repeat_interleave(lengths) + torch.arange(int(lengths.sum()))


def answered(
    adapter: BlipQuestions | BlipCaptioning,
    scenes: Sequence[Scene],
    *,
    part: str,
    mirrored: bool = False,
    ends: bool = False,
) -> ImageSet:
    """Return scenes as pictures with what the model should write about them.

    Args:
        adapter: The model; it answers the questions, or writes the captions.
        scenes: The scenes; a captioner gets those that have captions.
        part: Name of the part, such as ``training``.
        mirrored: Take each again, mirrored, which changes neither shape nor colour.
        ends: Whether the end of an answer counts; that of a caption always does.
    """
    asks = isinstance(adapter, BlipQuestions)
    chosen = [scene for scene in scenes if asks or scene.captions]
    turns = (ImageOps.mirror,) if mirrored else ()

    def read() -> Iterator[Image.Image]:
        for scene in chosen:
            with Image.open(scene.picture) as picture:
                yield picture.convert("RGB")

    times = 1 + len(turns)
    questions = [[question for question, _ in scene.questions] for scene in chosen if asks]
    texts = [
        [answer for _, answer in scene.questions] if asks else scene.captions for scene in chosen
    ]
    return ImageSet(
        name=f"easy-vqa, {part}",
        licence=LICENCE,
        count=len(chosen) * times,
        read=lambda: with_turns(read, turns),
        answers=Written(adapter, questions * times, texts * times, ends=ends or not asks),
    )
