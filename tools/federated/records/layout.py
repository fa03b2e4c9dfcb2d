"""The layout of a run folder, and which parts the sandboxes may access."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrialFolder:
    """The folder of a trial.

    The sandbox reads ``app`` and writes ``out``; everything else is accessible only to the host.

    Args:
        root: ``<run>/trials/<number>``.
    """

    root: Path

    @property
    def request(self) -> Path:
        """The ``TrialRequest`` as JSON, with the facts from its check; a resume reads it."""
        return self.root / "request.json"

    @property
    def app(self) -> Path:
        """The generated Flower app."""
        return self.root / "app"

    @property
    def out(self) -> Path:
        """Scratch folder of the training sandbox."""
        return self.root / "out"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints: one folder ``round-NNNN`` per finished round, written atomically."""
        return self.out / "checkpoints"

    @property
    def clients(self) -> Path:
        """Client states: personal heads and compression residuals."""
        return self.out / "clients"

    @property
    def progress(self) -> Path:
        """Progress as JSON lines per client and round, only for live views."""
        return self.out / "progress.jsonl"

    @property
    def curve(self) -> Path:
        """The curve so far as JSON, replaced after each scored round."""
        return self.root / "curve.json"

    def weights(self, round_number: int) -> Path:
        """Validated ``weights.safetensors`` and ``head-N.safetensors`` of a scored round."""
        return self.root / "weights" / f"round-{round_number:04d}"

    @property
    def result(self) -> Path:
        """The ``TrialResult`` as JSON, written when the trial has ended."""
        return self.root / "result.json"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run: prepared data and numbered trials.

    The training sandbox reads ``data``, which contains the training split. ``held`` contains the
    validation and test splits, whose labels no sandbox can access.

    Args:
        root: ``<home>/runs/<run id>``.
    """

    root: Path

    def __post_init__(self) -> None:
        # Programs in the sandbox have another working directory.
        object.__setattr__(self, "root", self.root.absolute())

    @property
    def data(self) -> Path:
        """``card.json`` and the training split as ``.npy`` files."""
        return self.root / "data"

    @property
    def intent(self) -> Path:
        """What the run is for, written when it begins."""
        return self.root / "intent.json"

    @property
    def reading(self) -> Path:
        """What was read of a folder of images, with names of files, which no sandbox reads."""
        return self.root / "reading.json"

    @property
    def held(self) -> Path:
        """The held-out validation and test splits as ``.npy`` files."""
        return self.root / "held"

    def trial(self, number: int) -> TrialFolder:
        """Return the folder of a trial, which may not exist."""
        return TrialFolder(self.root / "trials" / f"{number:02d}")

    def trials(self) -> list[TrialFolder]:
        """List the folders of started trials, in order."""
        return [TrialFolder(path) for path in sorted((self.root / "trials").glob("[0-9]*"))]
