"""A person's own labels on a node, and the network that was trained on them.

Of each labelled window only the named features are kept, in the node's state folder.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.sensing.moods.network import MoodNetwork
from edgewright.tools.sensing.protocol import Window
from edgewright.tools.settings import home
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.locks import exclusive

_LABEL = re.compile(r"[a-z][a-z -]{0,31}")
#: Labelled windows of a card that are kept; the oldest ones make room.
_MAX_ROWS = 5_000
#: Every so many windows, one is not trained on but tells how good the network is.
_TESTED = 5
#: A network that was trained on less says nothing.
MIN_SAMPLES = 8


class OwnMoods:
    """The labels and the network of one card on this node.

    Args:
        card: Id of the card.
        scales: Centre and spread of each feature, by name.
        folder: Where they are kept; by default in the state folder.
    """

    def __init__(
        self, card: str, scales: Mapping[str, tuple[float, float]], folder: Path | None = None
    ) -> None:
        self._scales = scales
        self._folder = folder or home() / "moods"
        self._rows_path = self._folder / f"{card}.jsonl"
        self._network_path = self._folder / f"{card}.safetensors"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(self._scales)

    def add(self, features: Mapping[str, float], label: str) -> dict[str, int]:
        """Keep a labelled window.

        Args:
            features: Its features by name; one that could not be told is left out.
            label: How the person felt.

        Returns:
            The number of windows of each label.

        Raises:
            InputError: The label is no word (``invalid_label``).
        """
        if not _LABEL.fullmatch(label):
            raise InputError(
                f"{label[:40]!r} is no label; use small letters, such as 'calm'",
                code="invalid_label",
            )
        kept = {name: round(float(features[name]), 5) for name in self._scales if name in features}
        self._folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self._rows_path.with_suffix(".lock")):  # labels may come at once
            rows = [*self._rows(), (kept, label)][-_MAX_ROWS:]
            lines = [json.dumps({"features": row, "label": name}) for row, name in rows]
            write_file(self._rows_path, ("\n".join(lines) + "\n").encode())
        return dict(Counter(name for _, name in rows))

    def counts(self) -> dict[str, int]:
        """Return the number of labelled windows of each label."""
        return dict(Counter(label for _, label in self._rows()))

    def trained(self, network: MoodNetwork) -> tuple[MoodNetwork, list[bool]]:
        """Return a network after a round on this node's labels.

        Args:
            network: Where the round begins.

        Returns:
            The network, and for each window that is kept for that, whether ``network`` names its
            label.

        Raises:
            NotFoundError: There are no labels here (``no_labels``).
        """
        rows = self._rows()
        if not rows:
            raise NotFoundError("this node has no labels to train on", code="no_labels")
        scaled = np.array([self._scaled(features) for features, _ in rows], np.float32)
        labels = [label for _, label in rows]
        tested = np.arange(len(rows)) % _TESTED == _TESTED - 1
        named = network.probabilities(scaled).argmax(axis=1)
        right = [network.labels[named[at]] == labels[at] for at in np.flatnonzero(tested)]
        kept = [labels[at] for at in np.flatnonzero(~tested)]
        return network.trained(scaled[~tested], kept), right

    def install(self, network: MoodNetwork) -> None:
        """Keep a trained network; estimates use it from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_file(self._network_path, network.to_bytes())

    def forget(self) -> None:
        """Delete the labels and the network."""
        for path in (self._rows_path, self._network_path):
            path.unlink(missing_ok=True)

    def estimate(self, features: Mapping[str, float]) -> tuple[list[tuple[str, float]], str] | None:
        """Return the labels with their probabilities, and what the network was trained on.

        Args:
            features: The features by name.

        Returns:
            None without a network that was trained on enough labels.
        """
        try:
            network = MoodNetwork.from_bytes(self._network_path.read_bytes(), self.features)
        except (FileNotFoundError, InputError):  # none yet, or of another release
            return None
        if network.samples < MIN_SAMPLES:
            return None
        scores = network.probabilities(np.array([self._scaled(features)], np.float32))[0]
        ranked = sorted(zip(network.labels, scores.tolist(), strict=True), key=lambda one: -one[1])
        nodes = f"{network.nodes} node" + ("s" if network.nodes > 1 else "")
        return ranked, f"trained on {network.samples} labels of your own on {nodes}"

    def _scaled(self, features: Mapping[str, float]) -> NDArray[np.float32]:
        """Return features around 0; one that could not be told is in the middle."""
        return np.array(
            [
                (features[name] - centre) / spread if name in features else 0.0
                for name, (centre, spread) in self._scales.items()
            ],
            np.float32,
        )

    def _rows(self) -> list[tuple[dict[str, float], str]]:
        try:
            lines = self._rows_path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        rows = [json.loads(line) for line in lines]
        return [(row["features"], row["label"]) for row in rows]


@runtime_checkable
class LearningExpert(Protocol):
    """A ``SensingExpert`` that can be trained on a person's own labels."""

    @property
    def own(self) -> OwnMoods:
        """The labels that the node has, and what was trained on them."""
        ...

    def features(self, window: Window) -> dict[str, float]:
        """Return the named features of a window.

        Raises:
            RefusedError: The window does not show them.
        """
        ...
