"""Vital signs, categories of applications and moods against the truth of the simulation.

200 recordings of a minute: 1 to 4 m away, 20 to 0 dB, with motion in a third. Half of them have
seeds that were used in development, half have not. App profiles are other ones than those that
anything was fitted to, and so are the people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import format_share, macro_f1, share
from edgewright.tools.sensing import fitted
from edgewright.tools.sensing.acoustic.probe import Probe
from edgewright.tools.sensing.forest import Forest
from edgewright.tools.sensing.moods.usage import categorise
from edgewright.tools.sensing.moods.vitals import read_signs
from edgewright.tools.sensing.packets.capture import read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.sensing.protocol import Audio
from edgewright.tools.sensing.traffic.applications import applications
from edgewright.tools.simulation.apps import CATEGORIES, make_profile
from edgewright.tools.simulation.chest import Vitals, chest_motion
from edgewright.tools.simulation.people import draw_person
from edgewright.tools.simulation.room import Scene, record
from edgewright.tools.simulation.traces import capture, plan_usage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Seeds that were used in development, and others.
SEEN_SEED, UNSEEN_SEED = 20_000, 8_800_000
RECORDINGS, TRACES, PEOPLE = 200, 40, 2_000
#: Numbers of app profiles that nothing was fitted to or chosen by.
PROFILES = range(5_000, 5_200)
BREATH_NEAR, HEART_NEAR, CLEAR_DB = 1.0, 4.0, 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=RECORDINGS)
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    half = options.recordings // 2
    seeds = [*range(SEEN_SEED, SEEN_SEED + half)]
    seeds += range(UNSEEN_SEED, UNSEEN_SEED + options.recordings - half)
    log(f"{len(seeds)} recordings")
    moves = [number % 3 == 0 for number in range(len(seeds))]
    with ProcessPoolExecutor(2) as workers:
        rows = list(workers.map(measure_recording, seeds, moves))
    log("traffic")
    categories = measure_categories(options.traces)
    figures = {
        "recordings": rows,
        "vital_signs": {
            "all": vital_scores(rows),
            "unseen seeds": vital_scores([row for row in rows if row["seed"] >= UNSEEN_SEED]),
        },
        "categories": categories,
        "moods": measure_moods(),
        "fitted": fitted.revision(),
    }
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    write_results(options.out, "sensing", figures, markdown, lambda axes: _draw(axes, rows))
    return 0


def measure_recording(seed: int, moves: bool) -> dict[str, Any]:
    """Simulate a recording, and read the vital signs from it.

    Args:
        seed: Seed of person, room and noise.
        moves: Whether the person moves.

    Returns:
        The truth and what was told; None where it could not be told.
    """
    rng = np.random.default_rng(seed)
    vitals = Vitals(
        breaths_per_min=rng.uniform(9, 26),
        breath_cv=rng.uniform(0.03, 0.12),
        beats_per_min=rng.uniform(50, 120),
        sdnn_ms=rng.uniform(15, 70),
    )
    snr_db, distance_m = rng.uniform(0, 20), rng.uniform(1, 4)
    motion, probe = chest_motion(rng, vitals, 60, moves=moves), Probe()
    scene = Scene(distance_m=distance_m, snr_db=snr_db)
    samples = record(rng, scene, motion, probe.waveform(), probe.sample_rate)
    signs = read_signs(Audio(samples, probe.sample_rate))
    return {
        "seed": seed,
        "snr_db": snr_db,
        "distance_m": distance_m,
        "moves": moves,
        "breaths_per_min": motion.breaths_per_min,
        "beats_per_min": motion.beats_per_min,
        "told_breaths": signs.breath.per_min if signs.breath else None,
        "told_beats": signs.heart.per_min if signs.heart else None,
    }


def vital_scores(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return shares of right, wrong and untold rates, above and below the clear level.

    Args:
        rows: Results of ``measure_recording``.
    """
    scores: dict[str, Any] = {}
    for name, told, near in (
        ("breaths_per_min", "told_breaths", BREATH_NEAR),
        ("beats_per_min", "told_beats", HEART_NEAR),
    ):
        for level, chosen in (
            ("clear", [row for row in rows if row["snr_db"] >= CLEAR_DB]),
            ("noisy", [row for row in rows if row["snr_db"] < CLEAR_DB]),
        ):
            answered = [row for row in chosen if row[told] is not None]
            right = sum(abs(row[told] - row[name]) <= near for row in answered)
            scores[f"{name} {level}"] = {
                "right": share(right, len(chosen)),
                "wrong": share(len(answered) - right, len(chosen)),
                "untold": share(len(chosen) - len(answered), len(chosen)),
            }
    return scores


def measure_categories(traces: int) -> dict[str, Any]:
    """Name the categories of applications in traces of profiles that nothing was fitted to.

    Args:
        traces: Number of traces.
    """
    rng = np.random.default_rng(11)
    found: list[str] = []
    truth: list[str] = []
    for _ in range(traces):
        numbers = rng.integers(PROFILES.start, PROFILES.stop, (len(CATEGORIES), 2))
        chosen = [
            make_profile(name, int(number))
            for name, row in zip(CATEGORIES, numbers, strict=True)
            for number in row
        ]
        shares = dict(zip(CATEGORIES, rng.dirichlet(np.full(8, 2.0)).tolist(), strict=True))
        stretches = plan_usage(rng, shares, chosen)
        flows = flow_table(read_packets(capture(rng, stretches)), 3600).flows()
        used = applications(flows)
        for one, category in zip(used, categorise(used)[0], strict=True):
            middle = one.start_s + one.span_s / 2
            for stretch in stretches:
                if stretch.start_s <= middle <= stretch.start_s + stretch.seconds:
                    found.append(category)
                    truth.append(stretch.profile.category)
    right = sum(a == b for a, b in zip(found, truth, strict=True))
    return {"macro_f1": macro_f1(found, truth), "right": share(right, len(truth))}


def measure_moods() -> dict[str, Any]:
    """Name the moods of people from what a faultless sensor would measure of them."""
    rng = np.random.default_rng(12)
    people = [draw_person(rng) for _ in range(PEOPLE)]
    moods = np.array([person.mood for person in people])
    shares = np.array([[person.shares[name] for name in CATEGORIES] for person in people])
    forest = Forest.from_tensors(fitted.tensors(), "usage.")
    named = np.array(fitted.manifest()["moods"])[np.argmax(forest.probabilities(shares), axis=1)]
    return {"by_usage": share(int(np.sum(named == moods)), len(people))}


def _markdown(figures: dict[str, Any]) -> str:
    rows = []
    for part, scores in figures["vital_signs"].items():
        for name, score in scores.items():
            rate, level = name.rsplit(" ", 1)
            rows.append([
                part, {"breaths_per_min": "respiration", "beats_per_min": "heart rate"}[rate],
                "10 dB and above" if level == "clear" else "below 10 dB",
                *(format_share(score[kind]) for kind in ("right", "wrong", "untold")),
            ])  # fmt: skip
    headings = ("recordings", "rate", "signal to noise", "right", "wrong", "cannot tell")
    categories = figures["categories"]
    return (
        "Simulated people. Right: respiration within 1 a minute, heart rate within 4. The ratio is "
        "that of the chest's echo to the noise within the band of the sound that is sent.\n\n"
        + table(headings, rows)
        + f"\nCategories of applications, profiles that nothing was fitted to: macro-F1 "
        f"{categories['macro_f1']:.3f} over {categories['right']['count']} uses. Mood from the use "
        f"of applications, simulated people: {format_share(figures['moods']['by_usage'])}, chance "
        "25 %.\n"
    )


def _draw(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    told = [row for row in rows if row["told_beats"] is not None]
    untold = [row for row in rows if row["told_beats"] is None]
    errors = [row["told_beats"] - row["beats_per_min"] for row in told]
    axes.scatter([row["snr_db"] for row in told], errors, s=12, label="told")
    axes.scatter([row["snr_db"] for row in untold], [0.0] * len(untold), s=12, marker="x",
                 color="grey", label="cannot tell")  # fmt: skip
    for limit in (-HEART_NEAR, HEART_NEAR):
        axes.axhline(limit, color="grey", linewidth=0.8)
    axes.set(xlabel="chest's echo to noise, dB", ylabel="error of the heart rate, beats a minute")
    axes.set_yscale("symlog", linthresh=10)
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
