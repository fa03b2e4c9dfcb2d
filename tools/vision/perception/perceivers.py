"""What each kind of perception is made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from PIL import Image

from edgewright.tools.contracts.perceptions import DetectedObject, SceneLabel
from edgewright.tools.models.installed import read_installed
from edgewright.tools.models.registry import ModelRegistry
from edgewright.tools.vision.classification import probabilities_of, top_labels
from edgewright.tools.vision.labels import vocabulary
from edgewright.tools.vision.perception.detectors import Network
from edgewright.tools.vision.perception.faces import faces
from edgewright.tools.vision.perception.needed import (
    DETECTOR,
    EXPRESSION,
    FACE_DETECTOR,
    POSE,
    SECOND_DETECTOR,
    TEXT_READER,
)
from edgewright.tools.vision.perception.networks import Networks
from edgewright.tools.vision.perception.objects import ObjectFinder, convincing
from edgewright.tools.vision.perception.people import confirmed, doubted
from edgewright.tools.vision.perception.pose import poses
from edgewright.tools.vision.perception.text import TextReader
from edgewright.tools.vision.scene import Kind, Scene

#: The model that gives labels of whole images and second opinions on objects.
CLASSIFIER = "efficientnet-lite0"
#: Number of labels of a scene: all that matter when those of one kind are added up.
_LABELS = 100


class Perceivers:
    """The perceivers of one process; their networks are loaded when they are first needed.

    Args:
        networks: The networks.
        threads: Number of threads of the classifier; None leaves the engine's default.
    """

    def __init__(self, networks: Networks, *, threads: int | None = None) -> None:
        self._networks = networks
        self._threads = threads

    def by_kind(self) -> dict[Kind, Callable[[Scene], Sequence[Any]]]:
        """Return a function for each kind of perception."""
        return {
            "candidates": lambda scene: self._candidates(scene.image),
            "objects": lambda scene: convincing(scene.candidates),
            "texts": lambda scene: self._text_reader.lines(scene.image),
            "poses": lambda scene: poses(self._network(POSE), scene.image, scene.objects),
            "faces": lambda scene: faces(
                self._network(FACE_DETECTOR),
                self._network(EXPRESSION),
                scene.image,
                scene.objects,
            ),
            "labels": lambda scene: self._labels(scene.image),
        }

    @cached_property
    def _object_finder(self) -> ObjectFinder:
        return ObjectFinder(
            self._network(DETECTOR),
            self._network(SECOND_DETECTOR),
            None if ModelRegistry().get(CLASSIFIER).obstacle() else self._classified,
        )

    def _candidates(self, image: Image.Image) -> tuple[DetectedObject, ...]:
        found = self._object_finder.candidates(image)
        if read_installed(FACE_DETECTOR):
            found = confirmed(self._network(FACE_DETECTOR), image, found)
        return doubted(self._network(POSE), image, found) if read_installed(POSE) else found

    def _network(self, model: str, part: str = "model") -> Network:
        """Return a network that is loaded when it is called."""
        return lambda pixels: self._networks.session(model, part).run(pixels)

    def _classified(self, image: Image.Image) -> list[float]:
        """Return the probability of each label of ImageNet."""
        adapter = ModelRegistry().load(CLASSIFIER, threads=self._threads)
        output = adapter.run(adapter.array(adapter.preprocess(image)), 0, len(adapter.block_names))
        return probabilities_of(output)

    def _labels(self, image: Image.Image) -> list[SceneLabel]:
        best = top_labels(self._classified(image), vocabulary().labels, _LABELS)
        return [SceneLabel(label=each["label"], score=each["score"]) for each in best]

    @cached_property
    def _text_reader(self) -> TextReader:
        characters = self._networks.session(TEXT_READER, "recognition").metadata["character"]
        return TextReader(
            self._network(TEXT_READER, "detection"),
            self._network(TEXT_READER, "recognition"),
            [*characters.splitlines(), " "],
        )
