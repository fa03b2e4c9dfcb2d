"""Moods from usage and vital signs, and their fusion."""

import json

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from edgewright.tools.errors import InputError, RefusedError
from edgewright.tools.sensing.acoustic.echo import Still
from edgewright.tools.sensing.acoustic.probe import Probe
from edgewright.tools.sensing.acoustic.vital_signs import breath_rate
from edgewright.tools.sensing.expert import SIMULATED
from edgewright.tools.sensing.moods.fusion import ConfidenceFusion, confidence
from edgewright.tools.sensing.moods.usage import UsageMood
from edgewright.tools.sensing.moods.vitals import VitalMood, read_signs
from edgewright.tools.sensing.packets.capture import read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.sensing.protocol import Audio, Traffic, Window
from edgewright.tools.simulation.apps import CATEGORIES, make_profile
from edgewright.tools.simulation.chest import Vitals, chest_motion
from edgewright.tools.simulation.room import Scene, record
from edgewright.tools.simulation.traces import capture, plan_usage

FUSE = ConfidenceFusion().estimate


def _estimate(source, **labels):
    return json.dumps({"source": source, "labels": list(labels.items()), "basis": SIMULATED})


def _traffic(shares, minutes=8.0):
    rng = np.random.default_rng(4)
    profiles = [make_profile(name, 700 + n) for name in CATEGORIES for n in range(2)]
    stretches = plan_usage(rng, shares, profiles, minutes=minutes)
    table = flow_table(read_packets(capture(rng, stretches)), 3600)
    values = Traffic(table.flows(), table.packets, table.seconds)
    return Window(sensor="w", kind="wifi", seconds=table.seconds, values=values)


def test_usage_is_found_in_traffic():
    found = UsageMood().estimate(_traffic({"work": 0.5, "calls": 0.5}), {})
    usage = found["evidence"]["usage"]
    assert usage["work"] == pytest.approx(0.5, abs=0.12)
    assert usage["calls"] == pytest.approx(0.5, abs=0.12)
    assert SIMULATED in found["text"]
    assert sum(one["score"] for one in found["labels"]) == pytest.approx(1, abs=0.01)


def test_too_little_use_gives_no_mood():
    with pytest.raises(RefusedError) as raised:
        UsageMood().estimate(_traffic({"web": 1.0}, minutes=1.0), {})
    assert raised.value.info().code == "too_little_use"


def _sound(seconds=60, *, echo=True):
    rng, probe = np.random.default_rng(123_456), Probe()
    vitals = Vitals(breaths_per_min=15, breath_cv=0.05, beats_per_min=72, sdnn_ms=40)
    motion = chest_motion(rng, vitals, seconds, moves=False)
    samples = record(
        rng, Scene(distance_m=1.2, snr_db=20), motion, probe.waveform(), probe.sample_rate
    )
    if not echo:
        samples = (rng.standard_normal(len(samples)) * 3000).astype(np.int16)
    return motion, Audio(samples, probe.sample_rate)


def test_vital_signs_are_heard():
    motion, audio = _sound()
    signs = read_signs(audio)
    assert signs.breath is not None
    assert signs.breath.per_min == pytest.approx(motion.breaths_per_min, abs=1)
    if signs.heart is not None:
        assert signs.heart.per_min == pytest.approx(motion.beats_per_min, abs=4)
    window = Window(sensor="m", kind="microphone", seconds=60, values=audio)
    found = VitalMood().estimate(window, {})
    assert found["evidence"]["breath_per_min"] == pytest.approx(motion.breaths_per_min, abs=1)
    assert len(found["evidence"]["chest_mm"]) > 100


def test_slow_motion_is_no_breath():
    # Motion that was not noticed, every eleven seconds, beneath which no breath can be seen.
    seconds, rate = 60, 25.0
    times = np.arange(seconds * rate) / rate
    moved = 5e-3 * np.sin(2 * np.pi * times / 11)
    still = Still(np.stack([moved, 0.8 * moved]), np.ones(2), 0.0)
    slow = breath_rate([still], rate)
    assert slow is None or slow.trust == 0
    breathing = 5e-3 * np.sin(2 * np.pi * times / 5)
    found = breath_rate([Still(np.stack([breathing, 0.8 * breathing]), np.ones(2), 0.0)], rate)
    assert found is not None
    assert found.per_min == pytest.approx(12, abs=0.2)
    assert found.trust > 0.4


def test_noise_alone_tells_nothing():
    _, audio = _sound(echo=False)
    window = Window(sensor="m", kind="microphone", seconds=60, values=audio)
    with pytest.raises(RefusedError) as raised:
        VitalMood().estimate(window, {})
    assert raised.value.info().code == "cannot_tell"


def test_short_and_slow_recordings_are_refused():
    with pytest.raises(RefusedError, match="at least 20 s"):
        read_signs(Audio(np.zeros(48_000, np.int16), 48_000))
    with pytest.raises(InputError, match="48000"):
        read_signs(Audio(np.zeros(16_000 * 60, np.int16), 16_000))


def test_a_forest_gives_what_it_was_fitted_to():
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[4] / "scripts"))
    from fit_sensing_models import grow

    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 4))
    labels = np.where(rows[:, 0] + rows[:, 1] > 0, "calm", np.where(rows[:, 2] > 0, "sad", "tense"))
    labels[:20] = "happy"
    forest = grow(rows, labels, 5, 4)
    reference = RandomForestClassifier(
        5, max_depth=4, min_samples_leaf=2, class_weight="balanced", random_state=0
    ).fit(rows, labels)
    order = [list(reference.classes_).index(name) for name in ("calm", "happy", "tense", "sad")]
    expected = reference.predict_proba(rows)[:, order]
    np.testing.assert_allclose(forest.probabilities(rows), expected, atol=1e-5)


def test_confidence_is_that_of_the_probabilities():
    assert confidence({"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}) == pytest.approx(0)
    assert confidence({"a": 1.0, "b": 0.0}) == pytest.approx(1, abs=1e-6)
    assert 0 < confidence({"a": 0.6, "b": 0.4}) < confidence({"a": 0.9, "b": 0.1})


def test_agreeing_sources_are_surer_together():
    found = FUSE(
        None,
        {
            "first": _estimate("network traffic", tense=0.6, calm=0.2, sad=0.2),
            "second": _estimate("acoustic signals", tense=0.7, calm=0.2, sad=0.1),
        },
    )
    assert found["labels"][0]["label"] == "tense"
    assert found["confidence"] > 0.7
    assert found["evidence"]["contradicting"] == []
    assert SIMULATED in found["text"]


def test_the_surer_source_decides_and_a_contradiction_is_named():
    found = FUSE(
        None,
        {
            "first": _estimate("network traffic", tense=0.4, calm=0.25, sad=0.35),
            "second": _estimate("acoustic signals", tense=0.05, calm=0.9, sad=0.05),
        },
    )
    assert found["labels"][0]["label"] == "calm"
    assert found["evidence"]["contradicting"] == [
        "network traffic: tense",
        "acoustic signals: calm",
    ]
    assert "contradict" in found["text"]


def test_a_missing_source_is_named():
    missing = json.dumps({"source": "acoustic signals", "missing": "the speaker does not answer."})
    found = FUSE(
        None, {"first": _estimate("network traffic", sad=0.8, calm=0.2), "second": missing}
    )
    assert found["labels"][0]["label"] == "sad"
    assert "acoustic signals is missing: the speaker does not answer" in found["text"]
    assert found["evidence"]["missing"] == {"acoustic signals": "the speaker does not answer."}
    with pytest.raises(RefusedError, match="the speaker does not answer"):
        FUSE(None, {"first": missing, "second": missing})


def test_plain_labels_are_combined_too():
    found = FUSE(None, {"first": "happy", "second": "happy"})
    assert found["text"].startswith("together: happy")


def test_estimates_of_different_things_are_not_combined():
    with pytest.raises(RefusedError, match="no label in common"):
        FUSE(None, {"first": "happy", "second": _estimate("camera", cat=0.9, dog=0.1)})


@pytest.mark.parametrize("value", ["", "{", "[1]", '{"labels": []}', '{"labels": [["a", 7]]}',
                                   '{"labels": [["a", "x"]]}', '{"labels": [[]]}'])  # fmt: skip
def test_what_is_no_estimate_is_refused(value):
    with pytest.raises(InputError) as raised:
        ConfidenceFusion().check({"first": value})
    assert raised.value.info().code == "estimate_invalid"
