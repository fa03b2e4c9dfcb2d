"""Lines that report the progress of a training or a benchmark."""

import re

from edgewright.benchmarks.common import progress
from edgewright.benchmarks.common.progress import ProgressLogger, log
from edgewright.tools.codec_training.loop import EpochProgress


def test_a_line_at_both_ends_of_a_stage_and_every_ten_seconds(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    report = ProgressLogger("elpv")
    for step in range(1, 26):
        now += 1
        report(EpochProgress("stage 1", step, 25, 0.5))
    for step in (1, 2):
        report(EpochProgress("stage 2", step, 100, 0.0))
    assert capsys.readouterr().err.splitlines() == [
        "elpv: stage 1: 1 of 25, loss 0.500",
        "elpv: stage 1: 11 of 25, loss 0.500",
        "elpv: stage 1: 21 of 25, loss 0.500",
        "elpv: stage 1: 25 of 25, loss 0.500",
        "elpv: stage 2: 1 of 100",
    ]


def test_a_log_line_has_the_time_of_day(capsys):
    log("starting the nodes")
    assert re.fullmatch(r"\d\d:\d\d:\d\d starting the nodes\n", capsys.readouterr().err)
