"""The output of Flower's commands is part of the error when they fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.grids import flower


@pytest.mark.parametrize("program", ["print('no such node'); raise SystemExit(1)", "input()"])
def test_a_registration_that_fails_or_hangs_raises(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flower, "_START_S", 60.0 if "SystemExit" in program else 0.05)
    log = tmp_path / "register.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=out, stderr=out
        ) as process,
        pytest.raises(UnavailableError, match="could not be registered") as caught,
    ):
        try:
            flower._wait_until_done(process, log)
        finally:
            process.kill()
    assert caught.value.info().code == "flower_unavailable"
    assert ("no such node" in caught.value.message) == ("SystemExit" in program)


def test_a_registration_that_succeeds_is_silent(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        flower._wait_until_done(process, tmp_path / "register.log")
