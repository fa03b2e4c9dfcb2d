"""The lines that tell how far a training is."""

from edgewright.benchmarks.common import progress
from edgewright.benchmarks.common.progress import ProgressLogger
from edgewright.tools.codec_training.loop import EpochProgress


def test_lines_at_ends_of_stages_and_each_ten_seconds(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    tell = ProgressLogger("elpv")
    for step in range(1, 26):
        now += 1
        tell(EpochProgress("stage 1", step, 25, 0.5))
    for step in (1, 2):
        tell(EpochProgress("stage 2", step, 100, 0.0))
    assert capsys.readouterr().err.splitlines() == [
        "elpv: stage 1: 1 of 25, loss 0.500",
        "elpv: stage 1: 11 of 25, loss 0.500",
        "elpv: stage 1: 21 of 25, loss 0.500",
        "elpv: stage 1: 25 of 25, loss 0.500",
        "elpv: stage 2: 1 of 100",
    ]
