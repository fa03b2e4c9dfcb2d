"""Progress on standard error, in lines that suit a terminal and a log file alike."""

from __future__ import annotations

import sys
import time

from edgewright.tools.codec_training.loop import EpochProgress

_EVERY_S = 10.0


def log(message: str) -> None:
    """Write a line with the time of day."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {message}\n")
    sys.stderr.flush()


class ProgressLogger:
    """Writes a line at the start and end of each training stage, and every ten seconds between.

    Args:
        name: Prefix of each line, since several trainings may run side by side.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stage = ""
        self._written_at = 0.0

    def __call__(self, progress: EpochProgress) -> None:
        """Report a step."""
        now = time.monotonic()
        same_stage = progress.stage == self._stage and progress.step != progress.steps
        if same_stage and now - self._written_at < _EVERY_S:
            return
        self._stage, self._written_at = progress.stage, now
        loss = f", loss {progress.loss:.3f}" if progress.loss else ""
        self.write(f"{progress.stage}: {progress.step} of {progress.steps}{loss}")

    def write(self, message: str) -> None:
        """Write a line."""
        sys.stderr.write(f"{self._name}: {message}\n")
