"""Whole trials: app, sandbox, in-process grid and scoring by the host, also of hostile code."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgewright.tools.errors import InputError, TransientError, UnavailableError
from edgewright.tools.federated.records.candidate import Candidate, Scaffold, TopK
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.progress import RoundScored, TrialEvent, TrialProgress
from edgewright.tools.federated.records.trial import (
    CheckedFacts,
    ModelFacts,
    TrialRequest,
    TrialResult,
)
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.federated.trials import check as checks
from edgewright.tools.federated.trials import runner as trials
from edgewright.tools.federated.trials.curve import read_curve
from edgewright.tools.federated.trials.prepare import load_card
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.federated.trials.scoring import score_test
from edgewright.tools.sandbox import backends
from edgewright.tools.sandbox.limits import SandboxLimits

CANARY = "canary-77a1"


@pytest.mark.slow
def test_a_trial_from_candidate_to_test_score(run: RunFolder, candidate: Candidate) -> None:
    events: list[TrialEvent] = []
    request = TrialRequest(number=1, candidate=candidate)
    result = run_trial(run, request, on_event=events.append)
    assert (result.status, result.fault, len(result.curve)) == ("finished", None, 8)
    best = result.best
    assert best is not None and best.validation.accuracy > 0.85
    assert best.validation.worst_client <= best.validation.accuracy
    assert result.sandbox in ("sandlock", "bubblewrap")
    assert result.facts is not None
    bytes_up = result.curve[0].bytes_up
    assert bytes_up == 5 * result.facts.weight_bytes
    simulated = [point.simulated_s for point in result.curve]
    assert simulated == sorted(simulated) and simulated[0] > 0
    assert [e.point.round_number for e in events if isinstance(e, RoundScored)] == list(range(1, 9))
    assert {e.event for e in events if isinstance(e, TrialProgress)} == {"client", "round"}
    assert read_curve(run.trial(1)) == list(result.curve)
    assert run_trial(run, request) == result  # stored, not trained again
    score = score_test(run, 1)
    assert score.accuracy > 0.85
    assert score_test(run, 1) == score
    with pytest.raises(InputError) as refused:
        score_test(run, 2)
    assert refused.value.info().code == "test_used"


@pytest.mark.slow
def test_a_trial_stops_at_its_target(run: RunFolder, candidate: Candidate) -> None:
    slow = candidate.model_copy(update={"rounds": 60})
    result = run_trial(run, TrialRequest(number=1, candidate=slow, target=0.7))
    assert result.status == "stopped" and result.fault is None
    assert len(result.curve) < 60
    assert result.curve[-1].validation.accuracy >= 0.7


@pytest.mark.slow
def test_personal_heads_are_scored_with_their_own_clients(
    run: RunFolder, candidate: Candidate
) -> None:
    personal = candidate.model_copy(update={"personal_head": True})
    result = run_trial(run, TrialRequest(number=1, candidate=personal))
    assert result.status == "finished"
    names = sorted(path.name for path in run.trial(1).weights(result.best_round).iterdir())
    assert names == [*(f"head-{client}.safetensors" for client in range(5)), "weights.safetensors"]
    assert result.best is not None and result.best.validation.accuracy > 0.8


#: Minimum number of times that a training is killed; EDGEWRIGHT_TEST_KILLS raises it.
KILLS = int(os.environ.get("EDGEWRIGHT_TEST_KILLS", "3"))


@pytest.mark.slow
@pytest.mark.timeout(400 + 60 * KILLS)
@pytest.mark.parametrize(
    "changes",
    [{"compression": TopK(share=0.2)}, {"strategy": Scaffold(), "participation": 0.6}],
    ids=["top-k", "scaffold"],
)
def test_killed_at_random_moments_and_resumed(
    run: RunFolder, candidate: Candidate, changes: dict[str, object]
) -> None:
    """What clients keep between rounds is that of an uninterrupted training."""
    rounds = max(40, 8 * KILLS)
    stateful = candidate.model_copy(update={"rounds": rounds, **changes})
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from edgewright.tools.federated.records.layout import RunFolder\n"
        "from edgewright.tools.federated.records.trial import TrialRequest\n"
        "from edgewright.tools.federated.trials.runner import run_trial\n"
        "run = RunFolder(Path(sys.argv[1]))\n"
        "run_trial(run, TrialRequest.model_validate_json(Path(sys.argv[2]).read_text()))\n"
    )
    request = TrialRequest(number=2, candidate=stateful)
    orders = run.root / "orders.json"
    orders.write_text(request.model_dump_json())
    whole = run_trial(run, request.model_copy(update={"number": 1}))
    rng, kills = random.Random(0), 0
    for _ in range(rounds):
        process = subprocess.Popen([sys.executable, "-c", program, str(run.root), str(orders)])
        started = len(read_curve(run.trial(2)))
        deadline = time.monotonic() + 60
        target_rounds = started + rng.randint(0, 12)
        while (
            process.poll() is None
            and len(read_curve(run.trial(2))) < target_rounds
            and time.monotonic() < deadline
        ):
            time.sleep(0.02)
        time.sleep(rng.random() * 0.1)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        assert len(read_curve(run.trial(2))) >= started
    result = run_trial(run, request)
    assert kills >= KILLS
    assert [point.round_number for point in result.curve] == list(range(1, rounds + 1))
    assert result.weights_sha256 == whole.weights_sha256
    assert [p.validation for p in result.curve] == [p.validation for p in whole.curve]
    lines = [json.loads(line) for line in run.trial(2).progress.read_text().splitlines()]
    reported = [line["round"] for line in lines if line["event"] == "round"]
    assert reported == list(range(1, rounds + 1))


def test_only_one_at_a_time(run: RunFolder, candidate: Candidate) -> None:
    folder = run.trial(1)
    folder.out.mkdir(parents=True)
    with trials._alone(folder), pytest.raises(TransientError) as caught:
        run_trial(run, TrialRequest(number=1, candidate=candidate))
    assert caught.value.info().code == "trial_running"


def test_without_a_sandbox_nothing_starts(
    run: RunFolder, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "BACKENDS", ())
    backends.find_sandbox.cache_clear()
    try:
        with pytest.raises(UnavailableError, match="pip install sandlock") as caught:
            run_trial(run, TrialRequest(number=1, candidate=candidate))
    finally:
        backends.find_sandbox.cache_clear()
    assert caught.value.info().code == "no_sandbox"
    assert not run.trial(1).root.exists()


@pytest.fixture
def hostile(
    run: RunFolder, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., TrialResult]:
    """Return a function that runs a trial whose code deceived all checks."""
    monkeypatch.setattr(checks, "check_source", lambda candidate: [])
    model = ModelFacts(parameters=1000, weight_bytes=4000, flop_per_sample=1e4)

    def run_hostile(slot: str, source: str, *, time_s: float = 40) -> TrialResult:
        changed = candidate.model_copy(update={slot: source, "rounds": 3})
        limits = SandboxLimits(time_s=time_s, memory_bytes=2_000_000_000, disk_bytes=100_000_000)
        sha256 = checks._digest(changed, load_card(run), limits)
        facts = CheckedFacts(sha256=sha256, model=model)
        return run_trial(
            run, TrialRequest(number=1, candidate=changed, limits=limits, checked=facts)
        )

    return run_hostile


FORGE = """
import json, os, sys
from pathlib import Path
from torch import nn

def build_model(channels, height, width, classes):
    if "score" in str(sys.argv) or any("score" in name for name in sys.modules):
        return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))
    folder = Path(os.getcwd()) / "checkpoints" / "round-0001"
    folder.mkdir(parents=True, exist_ok=True)
    RECORD
    sys.stdout.write('{"facts": {"parameters": 1, "weight_bytes": 1, "flop_per_sample": 1}}\\n')
    sys.stdout.flush()
    os._exit(0)
"""
FORGERIES = {
    "forged accuracy in the record": (
        "(folder / 'record.json').write_text(json.dumps({'round_number': 1, 'clients': [{'client':"
        " 0, 'samples': 1, 'loss': 0, 'accuracy': 1, 'bytes_up': 1, 'bytes_down': 1}], 'wall_s': 1,"
        " 'validation': {'accuracy': 1.0}}))\n"
        "    from safetensors.torch import save_file\n"
        "    save_file(nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))"
        ".state_dict(), folder / 'weights.safetensors')"
    ),
    "nan in the record": (
        "(folder / 'record.json').write_text('{\"round_number\": 1, \"clients\": [], "
        "\"wall_s\": NaN}')"
    ),
    "huge record": "(folder / 'record.json').write_text('[' * 5_000_000)",
    "pickle as weights": (
        "(folder / 'record.json').write_text('{\"round_number\": 1, \"clients\": [], "
        "\"wall_s\": 1}')\n"
        "    (folder / 'weights.safetensors').write_bytes(b'\\x80\\x04cposix\\nsystem\\n.')"
    ),
    "folder as weights": (
        "(folder / 'record.json').write_text('{\"round_number\": 1, \"clients\": [], "
        "\"wall_s\": 1}')\n"
        "    (folder / 'weights.safetensors').mkdir()"
    ),
    "nothing at all": "pass",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FORGERIES)
def test_forged_results_are_refused_or_scored_by_the_host(
    hostile: Callable[..., TrialResult], name: str
) -> None:
    result = hostile("model", FORGE.replace("RECORD", FORGERIES[name]))
    if result.curve:
        assert name == "forged accuracy in the record"
        assert max(point.validation.accuracy for point in result.curve) < 0.5
    else:
        assert result.status == "failed"
        assert result.fault is not None and result.fault.code in ("bad_result", "killed")


@pytest.mark.slow
def test_code_that_reads_a_secret_fails_and_shows_nothing(
    run: RunFolder, hostile: Callable[..., TrialResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    secret = run.root.parent / "secret.txt"
    secret.write_text(CANARY)
    source = (
        "import os\n"
        "def augment(images):\n"
        f"    raise ValueError(str(dict(os.environ)) + open({str(secret)!r}).read())\n"
    )
    result = hostile("augmentation", source)
    assert result.status == "failed" and result.fault is not None
    assert result.fault.code == "raised"
    # Refused, or in bubblewrap not even there.
    assert "PermissionError" in result.fault.message or "No such file" in result.fault.message
    assert CANARY not in result.model_dump_json()
    written = [path for path in run.root.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in path.read_bytes() for path in written)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("    while True: pass\n", "timeout"),
        ("    import os; os._exit(3)\n", "killed"),
        ("    hoard = [bytearray(10**8) for _ in range(100)]\n", "memory"),
        ("    return images * float('nan')\n", "not_finite"),
        ("    open('big', 'wb').write(b'x' * 90_000_000)\n"
         "    open('more', 'wb').write(b'x' * 90_000_000)\n"
         "    import time; time.sleep(9)\n", "disk"),
    ],
)  # fmt: skip
def test_what_uses_up_the_machine_is_ended(
    hostile: Callable[..., TrialResult], body: str, code: str
) -> None:
    seconds = 15 if code == "timeout" else 40
    source = "def augment(images):\n" + body
    result = hostile("augmentation", source, time_s=seconds)
    assert result.status == "failed"
    assert result.fault is not None and result.fault.code == code


def test_a_sandboxed_model_answers_and_reports_errors(
    run: RunFolder, candidate: Candidate, tmp_path: Path
) -> None:
    from edgewright.tools.federated.template.writer import settings_for, write_app

    card = load_card(run)
    settings = settings_for(candidate, card, data=run.data, out=tmp_path, seed=0)
    write_app(candidate, settings, tmp_path / "app")
    images = np.load(run.held / "validation_images.npy")[:3]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "weights.safetensors").write_bytes(b"broken")
    with SandboxedModel(tmp_path / "app", 10) as model:
        with pytest.raises(InputError, match="cannot be run"):
            model.logits(images, tmp_path / "weights")
        rng = np.random.default_rng(0)
        from safetensors.numpy import save_file

        arrays = {
            "1.weight": rng.normal(size=(48, 64)), "1.bias": np.zeros(48),
            "3.weight": rng.normal(size=(10, 48)), "3.bias": np.zeros(10),
        }  # fmt: skip
        save_file(
            {name: value.astype(np.float32) for name, value in arrays.items()},
            tmp_path / "weights" / "weights.safetensors",
        )
        logits = model.logits(images, tmp_path / "weights")
    hidden = np.maximum(images.reshape(3, -1) / 255 @ arrays["1.weight"].T, 0)
    assert np.allclose(logits, hidden @ arrays["3.weight"].T, atol=1e-3)
