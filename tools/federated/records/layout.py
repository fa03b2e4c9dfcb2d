"""The run folder: where everything of a run lies, and who may see which part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrialFolder:
    """One trial's folder.

    ``app`` is read by the sandbox and ``out`` is written by it; the rest is the host's alone.

    Args:
        root: ``<run>/trials/<number>``.
    """

    root: Path

    @property
    def request(self) -> Path:
        """The ``TrialRequest`` as JSON; a resume reads it."""
        return self.root / "request.json"

    @property
    def app(self) -> Path:
        """The written Flower app."""
        return self.root / "app"

    @property
    def out(self) -> Path:
        """The training sandbox's scratch folder."""
        return self.root / "out"

    @property
    def checkpoints(self) -> Path:
        """One folder ``round-NNNN`` per finished round; appears whole or not at all."""
        return self.out / "checkpoints"

    @property
    def clients(self) -> Path:
        """What clients keep for themselves: personal heads and compression residuals."""
        return self.out / "clients"

    @property
    def progress(self) -> Path:
        """JSON lines per client and round, as they happen; for live views alone."""
        return self.out / "progress.jsonl"

    @property
    def curve(self) -> Path:
        """The curve so far as JSON, replaced whole after each scored round."""
        return self.root / "curve.json"

    def weights(self, round_number: int) -> Path:
        """``weights.safetensors`` and ``head-N.safetensors`` of a scored round, checked."""
        return self.root / "weights" / f"round-{round_number:04d}"

    @property
    def result(self) -> Path:
        """The ``TrialResult`` as JSON; there once the trial has ended."""
        return self.root / "result.json"


@dataclass(frozen=True)
class RunFolder:
    """A run: prepared data and numbered trials.

    ``data`` holds the training split and is read by the training sandbox; ``held`` holds the
    validation and test splits, which no sandbox ever sees with their labels.

    Args:
        root: ``<home>/runs/<run id>``.
    """

    root: Path

    @property
    def data(self) -> Path:
        """``card.json`` and the training split as ``.npy`` files."""
        return self.root / "data"

    @property
    def held(self) -> Path:
        """The validation and test splits as ``.npy`` files."""
        return self.root / "held"

    def trial(self, number: int) -> TrialFolder:
        """Return the folder of a trial, whether it exists or not."""
        return TrialFolder(self.root / "trials" / f"{number:02d}")

    def trials(self) -> list[TrialFolder]:
        """List the trials that have been started, in order."""
        return [TrialFolder(path) for path in sorted((self.root / "trials").glob("[0-9]*"))]
