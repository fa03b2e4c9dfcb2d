"""How far a training is, on one line of the terminal."""

from __future__ import annotations

import sys

from edgewright.tools.split.learned.loop import Progress


def tell(progress: Progress) -> None:
    """Write every twentieth step, over the one before, and the last one with a line's end."""
    if progress.step % 20 == 0 or progress.step == progress.steps:
        loss = f", loss {progress.loss:.3f}" if progress.loss else ""
        end = "\n" if progress.step == progress.steps else ""
        sys.stderr.write(f"\r{progress.stage}: {progress.step} of {progress.steps}{loss}{end}")
