"""A scene: one image, and what networks see in it once an expert asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from edgewright.tools.contracts.perceptions import (
    DetectedObject,
    Face,
    Perceptions,
    Pose,
    SceneLabel,
    TextLine,
)
from edgewright.tools.models.expert import Expert

if TYPE_CHECKING:
    from PIL import Image

Kind: TypeAlias = Literal["candidates", "objects", "texts", "poses", "faces", "labels"]

#: Maximum number of images whose perceptions are kept.
_CACHED_SCENES = 64


class Scene:
    """An image, and what networks see in it.

    Each kind of perception is computed when it is first asked for, so a request costs only what it
    needs. Coordinates are pixels of ``image``.

    Args:
        image: Upright RGB image.
        perceivers: Returns the perceptions of a kind.
        known: What was seen in this image before.

    Attributes:
        image: The image.
        perceptions: What has been seen so far.
        stages_ms: Milliseconds by kind of what was computed here.
        cached: Kinds that were asked for and known before.
    """

    def __init__(
        self,
        image: Image.Image,
        perceivers: Mapping[Kind, Callable[[Scene], Sequence[Any]]],
        known: Perceptions | None = None,
    ) -> None:
        self.image = image
        self.perceptions = known or Perceptions(width=image.width, height=image.height)
        self.stages_ms: dict[str, float] = {}
        self.cached: list[Kind] = []
        self._perceivers = perceivers

    @property
    def candidates(self) -> tuple[DetectedObject, ...]:
        """What may be objects, also what is too uncertain to be reported, best first."""
        return self._seen("candidates")

    @property
    def objects(self) -> tuple[DetectedObject, ...]:
        """Objects, best first."""
        return self._seen("objects")

    @property
    def texts(self) -> tuple[TextLine, ...]:
        """Lines of text in reading order."""
        return self._seen("texts")

    @property
    def poses(self) -> tuple[Pose, ...]:
        """People's poses, best first."""
        return self._seen("poses")

    @property
    def faces(self) -> tuple[Face, ...]:
        """Faces, best first."""
        return self._seen("faces")

    @property
    def labels(self) -> tuple[SceneLabel, ...]:
        """Labels of the whole image, best first."""
        return self._seen("labels")

    def evidence(self, *kinds: Kind) -> dict[str, Any]:
        """Return what was seen of some kinds as JSON values, for an answer that rests on them."""
        width, height = self.perceptions.width, self.perceptions.height
        only = {kind: getattr(self.perceptions, kind) for kind in kinds}
        return Perceptions(width=width, height=height, **only).model_dump(
            mode="json", exclude_none=True
        )

    def _seen(self, kind: Kind) -> tuple[Any, ...]:
        known: tuple[Any, ...] | None = getattr(self.perceptions, kind)
        if known is None:
            before_ms = sum(self.stages_ms.values())  # of other kinds, which this one may need
            began = perf_counter()
            known = tuple(self._perceivers[kind](self))
            took_ms = (perf_counter() - began) * 1000
            self.stages_ms[kind] = took_ms - (sum(self.stages_ms.values()) - before_ms)
            self.perceptions = self.perceptions.model_copy(update={kind: known})
        elif kind not in self.stages_ms and kind not in self.cached:
            self.cached.append(kind)
        return known


class SceneExpert(Expert, Protocol):
    """Carries out a card on a whole scene, with as many networks as it needs; it cannot be cut."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the installed models without which it cannot run."""
        ...

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Carry out the card.

        Args:
            scene: The image.
            args: The card's arguments.

        Returns:
            JSON values only. ``text`` is always present: one sentence or phrase for a person.

        Raises:
            RefusedError: What was asked for cannot be known from this image.
            UnavailableError: A network that this request needs is not installed.
        """
        ...


class Scenes:
    """Makes scenes, and remembers what was seen in the last images.

    Args:
        perceivers: Returns the perceptions of a kind.
    """

    def __init__(self, perceivers: Mapping[Kind, Callable[[Scene], Sequence[Any]]]) -> None:
        self._perceivers = perceivers
        self._known: OrderedDict[str, Perceptions] = OrderedDict()

    def scene(self, image: Image.Image, digest: str) -> Scene:
        """Return the scene of an image.

        Args:
            image: Upright RGB image.
            digest: Digest of the encoded image.
        """
        return Scene(image, self._perceivers, self._known.get(digest))

    def unknown(self, image: Image.Image) -> Scene:
        """Return the scene of an image as if it had not been seen before."""
        return Scene(image, self._perceivers)

    def remember(self, digest: str, scene: Scene) -> None:
        """Keep what was seen in a scene for later requests about the same image."""
        self._known[digest] = scene.perceptions
        self._known.move_to_end(digest)
        while len(self._known) > _CACHED_SCENES:
            self._known.popitem(last=False)
