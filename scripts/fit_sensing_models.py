"""Fits what the sensing experts know, to simulated people, rooms and networks.

Run ``make fit-sensing``. Four things are fitted: a network that finds the heart rate among
frequencies, a forest that names the category of an application, a tree from the use of applications
to a mood, and forests from vital signs to a mood. Recordings take about two seconds each; what is
computed from them is kept in ``--cache``, so an interrupted run continues.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier

from edgewright.tools.sensing import fitted as fitted_before
from edgewright.tools.sensing.acoustic import heart, vital_signs
from edgewright.tools.sensing.acoustic.echo import range_profiles, still_stretches
from edgewright.tools.sensing.acoustic.probe import Probe
from edgewright.tools.sensing.fitted import NAME
from edgewright.tools.sensing.forest import Forest
from edgewright.tools.sensing.packets.capture import read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.sensing.traffic.applications import applications
from edgewright.tools.simulation.apps import CATEGORIES, make_profile
from edgewright.tools.simulation.chest import Vitals, beat_starts, breath_starts, chest_motion
from edgewright.tools.simulation.people import MOODS, draw_person, statistics
from edgewright.tools.simulation.room import Scene, record
from edgewright.tools.simulation.traces import capture, plan_usage

Array = NDArray[np.float64]

WEIGHTS = Path(__file__).parents[1] / "tools" / "sensing" / "weights"
#: Seeds of the recordings, and numbers of the app profiles, that anything is fitted to. Benchmarks
#: use others.
RECORDING_SEED, RECORDINGS = 20_000, 280
#: Recordings that the heart's threshold is chosen on; half of the people move.
THRESHOLD_SEED, THRESHOLD_RECORDINGS = 30_000, 118
PROFILES = 200
TRACES, PEOPLE = 150, 8_000
FOLDS = 4
NETWORKS = 1
_RATE = 25.0
#: A candidate this near to the true rate, in hertz, counts as right.
_NEAR_HZ = 0.04


def main() -> int:
    """Fit everything and replace what ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".sensing-cache"))
    parser.add_argument("--keep-categories", action="store_true", help="leave that forest as it is")
    parser.add_argument("--heart-threshold", action="store_true", help="choose only that again")
    options = parser.parse_args()
    options.cache.mkdir(exist_ok=True)
    if options.heart_threshold:
        return choose_heart_threshold(options.cache)
    tensors: dict[str, NDArray[np.generic]] = {}
    scores: dict[str, Any] = {}
    recordings = [
        _recording(options.cache, RECORDING_SEED + number, moves=number % 3 == 0)
        for number in range(RECORDINGS)
    ]
    tensors |= fit_heart(recordings)
    thresholds, scores["vital_signs"] = choose_thresholds(recordings)
    if options.keep_categories:
        forest = Forest.from_tensors(fitted_before.tensors(), "categories.")
        scores["categories"] = fitted_before.manifest()["held_out"]["categories"]
    else:
        forest, scores["categories"] = fit_categories()
    tensors |= forest.as_tensors("categories.")
    for name, rows, labels, trees, depth in mood_data():
        cut = len(rows) * 3 // 4
        fitted = grow(rows[:cut], labels[:cut], trees, depth)
        found = np.array(MOODS)[np.argmax(fitted.probabilities(rows[cut:]), axis=1)]
        scores[name.rstrip(".")] = round(float(np.mean(found == labels[cut:])), 3)
        tensors |= fitted.as_tensors(name)
    _ship(tensors, thresholds, scores)
    return 0


def _recording(cache: Path, seed: int, *, moves: bool) -> dict[str, Array]:
    """Return what is computed from one simulated recording, from the cache if it is there."""
    path = cache / f"{seed}.npz"
    if path.is_file():
        with np.load(path) as kept:
            return {name: kept[name] for name in kept.files}
    sys.stderr.write(f"\rrecording {seed}")
    rng = np.random.default_rng(seed)
    vitals = Vitals(
        breaths_per_min=rng.uniform(9, 26),
        breath_cv=rng.uniform(0.03, 0.12),
        beats_per_min=rng.uniform(50, 120),
        sdnn_ms=rng.uniform(15, 70),
    )
    snr_db, distance = rng.uniform(0, 20), rng.uniform(1, 4)
    motion = chest_motion(rng, vitals, 60, moves=moves)
    probe = Probe()
    scene = Scene(distance_m=distance, snr_db=snr_db)
    audio = record(rng, scene, motion, probe.waveform(), probe.sample_rate)
    stills = still_stretches(range_profiles(audio, probe), probe)
    breath = vital_signs.breath_rate(stills, _RATE)
    found = {
        "truth": np.array([snr_db, motion.breaths_per_min, motion.beats_per_min]),
        "breath": np.array([breath.per_min, breath.trust] if breath else [0.0, 0.0]),
        "features": np.zeros((0, len(heart.GRID), 1)),
        "rates": np.zeros(0),
        "noise": np.array(heart.noise_m(stills, _RATE) if stills else 1.0),
    }
    long = heart.stretches_with_windows(stills, _RATE)
    if breath and long:
        parts = [heart.describe(one, _RATE, breath.per_min / 60) for one in long]
        middles = np.concatenate([part[0] for part in parts])
        beats = motion.beat_starts_s
        count = [
            np.interp(middles + sign * heart.WINDOW_S / 2, beats, np.arange(len(beats)))
            for sign in (1, -1)
        ]
        found["features"] = np.concatenate([part[1] for part in parts])
        found["rates"] = (count[0] - count[1]) / heart.WINDOW_S
    np.savez_compressed(path, **found)
    return found


def fit_heart(recordings: list[dict[str, Array]]) -> dict[str, NDArray[np.generic]]:
    """Fit the network that says how probable a candidate for the heart rate is."""
    with_windows = [one for one in recordings if len(one["rates"])]
    rows = np.concatenate([one["features"].reshape(-1, one["features"].shape[-1])
                           for one in with_windows])  # fmt: skip
    right = np.concatenate([
        (np.abs(heart.GRID[None] - one["rates"][:, None]) < _NEAR_HZ).ravel()
        for one in with_windows
    ])  # fmt: skip
    keep = right | (np.random.default_rng(0).random(len(right)) < 0.25)
    rows, right = rows[keep], right[keep]
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - mean) / deviation
    networks = [
        MLPClassifier((32,), alpha=1e-3, max_iter=100, random_state=seed, early_stopping=True).fit(
            scaled, right
        )
        for seed in range(NETWORKS)
    ]
    # The mean of several networks' log odds is one network with all their hidden units.
    first, last = (
        [(one.coefs_[layer], one.intercepts_[layer]) for one in networks] for layer in (0, 1)
    )
    tensors = {
        "heart.mean": mean,
        "heart.deviation": deviation,
        "heart.hidden": np.concatenate([weights for weights, _ in first], axis=1),
        "heart.hidden_bias": np.concatenate([bias for _, bias in first]),
        "heart.output": np.concatenate([weights for weights, _ in last]) / NETWORKS,
        "heart.output_bias": np.mean([bias for _, bias in last], axis=0),
    }
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def choose_thresholds(
    recordings: list[dict[str, Array]],
) -> tuple[dict[str, float], dict[str, Any]]:
    """Choose the trust below which nothing is reported, on recordings that a network did not see.

    Below 10 dB at most one value in fifty may be wrong.
    """
    truth = np.array([one["truth"] for one in recordings])
    told = np.zeros((len(recordings), 2))
    with ProcessPoolExecutor(2) as workers:
        networks = list(
            workers.map(
                fit_heart,
                [
                    [one for number, one in enumerate(recordings) if number % FOLDS != fold]
                    for fold in range(FOLDS)
                ],
            )
        )
    for fold, tensors in enumerate(networks):
        network = heart.HeartNetwork(
            {name.removeprefix("heart."): value for name, value in tensors.items()}
        )
        for number in range(fold, len(recordings), FOLDS):
            one = recordings[number]
            if len(one["rates"]):
                rate = vital_signs.heart_of(one["features"], float(one["noise"]), network)
                told[number] = rate.per_min, rate.trust
    breath = np.array([one["breath"] for one in recordings])
    thresholds, scores = {}, {}
    for name, found, true, near in (
        ("breath", breath, truth[:, 1], 1.0),
        ("heart", told, truth[:, 2], 4.0),
    ):
        right = np.abs(found[:, 0] - true) <= near
        noisy = truth[:, 0] < 10
        chosen = 1.0
        for limit in np.unique(np.round(found[:, 1], 3))[::-1]:
            wrong = ~right & (found[:, 1] >= limit) & noisy
            if wrong.sum() > 0.02 * noisy.sum():
                break
            chosen = float(limit)
        thresholds[name] = chosen
        answered = found[:, 1] >= chosen
        scores[name] = {
            "right_from_10_db": round(float((right & answered)[~noisy].mean()), 3),
            "wrong_below_10_db": round(float((~right & answered)[noisy].mean()), 3),
        }
    return thresholds, scores


def choose_heart_threshold(cache: Path) -> int:
    """Choose the trust of a heart rate again, on recordings that the network was not fitted to.

    It is the lowest at which no heart rate below 10 dB is wrong. Cross-validation, whose networks
    see fewer recordings than the one that ships, asks for more than that one needs.
    """
    network = heart.HeartNetwork(fitted_before.part("heart."))
    highest_wrong = 0.0
    for number in range(THRESHOLD_RECORDINGS):
        one = _recording(cache, THRESHOLD_SEED + number, moves=number % 2 == 0)
        if one["truth"][0] >= 10 or not len(one["rates"]):
            continue
        rate = vital_signs.heart_of(one["features"], float(one["noise"]), network)
        if abs(rate.per_min - one["truth"][2]) > 4:
            highest_wrong = max(highest_wrong, rate.trust)
    path = WEIGHTS / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    scores = manifest["held_out"]["vital_signs"]["heart"]
    scores.setdefault("at_threshold", manifest["thresholds"]["heart"])
    manifest["thresholds"]["heart"] = round(highest_wrong + 0.001, 3)
    last = THRESHOLD_SEED + THRESHOLD_RECORDINGS - 1
    manifest["recipe"]["heart_threshold_seeds"] = [THRESHOLD_SEED, last]
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def fit_categories() -> tuple[Forest, dict[str, Any]]:
    """Fit the forest that names the category of an application, and score it on other profiles."""
    rows, labels = uses(1, TRACES, range(PROFILES))
    forest = grow(rows, labels, 40, 10, names=CATEGORIES)
    others, truth = uses(2, TRACES // 5, range(PROFILES, 2 * PROFILES))
    found = np.array(CATEGORIES)[np.argmax(forest.probabilities(others), axis=1)]
    macro_f1 = float(f1_score(truth, found, average="macro"))
    return forest, {"macro_f1_other_profiles": round(macro_f1, 3)}


def uses(seed: int, traces: int, numbers: range) -> tuple[Array, NDArray[np.str_]]:
    """Return features and categories of the uses of applications in generated traces."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for trace in range(traces):
        sys.stderr.write(f"\rtrace {trace + 1} of {traces}")
        chosen = [
            make_profile(name, int(number))
            for name in CATEGORIES
            for number in rng.integers(numbers.start, numbers.stop, 2)
        ]
        shares = dict(zip(CATEGORIES, rng.dirichlet(np.full(8, 2.0)), strict=True))
        stretches = plan_usage(rng, shares, chosen)
        flows = flow_table(read_packets(capture(rng, stretches)), 3600).flows()
        for one in applications(flows):
            middle = one.start_s + one.span_s / 2
            for stretch in stretches:
                if stretch.start_s <= middle <= stretch.start_s + stretch.seconds:
                    rows.append(one.features)
                    labels.append(stretch.profile.category)
    return np.array(rows), np.array(labels)


def mood_data() -> list[tuple[str, Array, NDArray[np.str_], int, int]]:
    """Return data for each step to a mood: name, features, moods, number of trees and depth."""
    rng = np.random.default_rng(3)
    people = [draw_person(rng) for _ in range(PEOPLE)]
    moods = np.array([person.mood for person in people])
    shares = np.array([[person.shares[name] for name in CATEGORIES] for person in people])
    # What is measured differs from what is: some uses are taken for another category.
    shares = 0.95 * shares + 0.05 * rng.dirichlet(np.ones(len(CATEGORIES)), len(people))
    vitals = np.array([_measured(rng, person.vitals) for person in people])
    return [
        ("usage.", shares, moods, 1, 7),
        ("breath.", vitals[:, :2], moods, 40, 5),
        ("vitals.", vitals, moods, 60, 7),
    ]


def _measured(rng: np.random.Generator, vitals: Vitals) -> tuple[float, float, float, float]:
    """Return vital signs as a minute of sound shows them: means of windows, with errors."""
    breaths = breath_starts(rng, vitals, 60)
    beats = beat_starts(rng, vitals, 60, breaths)
    middles = np.arange(heart.WINDOW_S / 2, 60 - heart.WINDOW_S / 2, heart.HOP_S)
    half = heart.WINDOW_S / 2
    counted = np.interp(middles + half, beats, np.arange(len(beats)))
    counted -= np.interp(middles - half, beats, np.arange(len(beats)))
    rates = counted / heart.WINDOW_S + rng.normal(0, 0.015, len(middles))
    return (
        vitals.breaths_per_min + rng.normal(0, 0.4),
        max(0.0, vitals.breath_cv + rng.normal(0, 0.015)),
        float(rates.mean() * 60 + rng.normal(0, 1.0)),
        float(np.std(1 / rates) * rates.mean()),
    )


def grow(
    rows: Array,
    labels: NDArray[np.str_],
    trees: int,
    depth: int,
    names: tuple[str, ...] = MOODS,
) -> Forest:
    """Fit a forest, or with one tree a decision tree, and return its arrays."""
    fitted = RandomForestClassifier(
        trees,
        max_depth=depth,
        min_samples_leaf=max(2, len(rows) // 200),
        class_weight="balanced",
        bootstrap=trees > 1,
        max_features="sqrt" if trees > 1 else None,
        random_state=0,
    ).fit(rows, labels)
    order = [list(fitted.classes_).index(name) for name in names]
    offset, parts = 0, []
    for tree in (each.tree_ for each in fitted.estimators_):
        inner = tree.children_left >= 0
        shares = tree.value[:, 0, order]
        parts.append((
            offset, np.where(inner, tree.feature, -1), np.where(inner, tree.threshold, 0.0),
            np.where(inner, tree.children_left + offset, 0),
            np.where(inner, tree.children_right + offset, 0),
            shares / shares.sum(axis=1, keepdims=True),
        ))  # fmt: skip
        offset += tree.node_count
    columns = list(zip(*parts, strict=True))
    return Forest(
        roots=np.array(columns[0], np.int32),
        feature=np.concatenate(columns[1]).astype(np.int16),
        threshold=np.concatenate(columns[2]).astype(np.float32),
        left=np.concatenate(columns[3]).astype(np.int32),
        right=np.concatenate(columns[4]).astype(np.int32),
        shares=np.concatenate(columns[5]).astype(np.float32),
    )


def _ship(
    tensors: dict[str, NDArray[np.generic]], thresholds: dict[str, float], scores: dict[str, Any]
) -> None:
    content = save({name: np.ascontiguousarray(value) for name, value in tensors.items()})
    WEIGHTS.mkdir(exist_ok=True)
    (WEIGHTS / NAME).write_bytes(content)
    manifest = {
        "recipe": {
            "script": "scripts/fit_sensing_models.py",
            "recording_seeds": [RECORDING_SEED, RECORDING_SEED + RECORDINGS - 1],
            "app_profiles": [0, PROFILES - 1],
            "people": PEOPLE,
        },
        "data": "simulated by edgewright.tools.simulation; no recording of a person",
        "sources": statistics()["sources"],
        "assumed": statistics()["assumed"],
        "categories": list(CATEGORIES),
        "moods": list(MOODS),
        "thresholds": thresholds,
        "held_out": scores,
        "libraries": {name: version(name) for name in ("numpy", "scikit-learn", "scipy")},
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (WEIGHTS / "manifest.json").write_text(text, "utf-8")
    sys.stderr.write(f"\n{len(content) / 1000:.0f} kB; {json.dumps(scores)}\n")


if __name__ == "__main__":
    sys.exit(main())
