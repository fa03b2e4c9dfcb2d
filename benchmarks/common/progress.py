"""How far a training is, in lines for terminal and log alike."""

from __future__ import annotations

import sys
import time

from edgewright.tools.codec_training.loop import EpochProgress

_EVERY_S = 10.0


class ProgressLogger:
    """Writes a line when a stage begins and when it ends, and every ten seconds between.

    Args:
        name: Begins each line; trainings may run side by side.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stage = ""
        self._told_at = 0.0

    def __call__(self, progress: EpochProgress) -> None:
        """Hear of a step."""
        now = time.monotonic()
        between = progress.stage == self._stage and progress.step != progress.steps
        if between and now - self._told_at < _EVERY_S:
            return
        self._stage, self._told_at = progress.stage, now
        loss = f", loss {progress.loss:.3f}" if progress.loss else ""
        self.say(f"{progress.stage}: {progress.step} of {progress.steps}{loss}")

    def say(self, words: str) -> None:
        """Write a line."""
        sys.stderr.write(f"{self._name}: {words}\n")
