"""The mood demonstration: a router that sees traffic, a speaker with a microphone, and scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgewright.tools.nodes.launch import NodeProcess, launch_node

#: What is asked in each scene.
REQUEST = "how does she feel? use the WiFi and the speaker"
_MINUTES, _SECONDS = 10.0, 60.0
_DISTANCE_M, _SNR_DB = 1.6, 18.0


@dataclass(frozen=True, kw_only=True)
class MoodScene:
    """One time that the question is asked.

    Attributes:
        title: What is different.
        by_traffic: Mood of the person whose traffic the router saw.
        by_sound: Mood of the person in front of the speaker.
        without: Name of the node that is switched off; empty if both run.
    """

    title: str
    by_traffic: str
    by_sound: str
    without: str = ""


SCENES = (
    MoodScene(title="both sources", by_traffic="tense", by_sound="tense"),
    MoodScene(title="the sources contradict", by_traffic="sad", by_sound="tense"),
    MoodScene(title="without the speaker", by_traffic="tense", by_sound="tense", without="speaker"),
    MoodScene(title="without the router", by_traffic="tense", by_sound="tense", without="router"),
)


class MoodNetwork:
    """Two nodes whose sensors are files that are made again for each scene; a context manager.

    Args:
        folder: For the files and the nodes' logs.
        seed: What sessions, breaths, beats and rooms are drawn from.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._nodes: dict[str, NodeProcess] = {}
        self._urls = {"router": "", "speaker": ""}

    def __enter__(self) -> MoodNetwork:
        self._folder.mkdir(exist_ok=True)
        for name in self._urls:
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes.values():
            node.stop()

    @property
    def urls(self) -> str:
        """The nodes' URLs, separated by commas."""
        return ",".join(self._urls.values())

    def prepare(self, scene: MoodScene) -> None:
        """Make the files of a scene, and switch nodes on and off."""
        write_traffic(self._folder / "traffic.pcap", scene.by_traffic, self._seed)
        write_sound(self._folder / "sound.wav", scene.by_sound, self._seed)
        for name in self._urls:
            if name == scene.without and name in self._nodes:
                self._nodes.pop(name).stop()
            elif name != scene.without and name not in self._nodes:
                self._start(name)

    def _start(self, name: str) -> None:
        sensor = (
            {"name": "flat", "kind": "wifi", "source": str(self._folder / "traffic.pcap")}
            if name == "router"
            else {
                "name": "bedroom",
                "kind": "microphone",
                "source": str(self._folder / "sound.wav"),
            }
        )
        port = int(self._urls[name].rsplit(":", 1)[1]) if self._urls[name] else 0
        config: dict[str, Any] = {
            "name": name,
            "role": "device",
            "port": port,
            "preload": [],
            "measure": "never",
            "sensors": [sensor],
        }
        node = launch_node(config, log=self._folder / f"{name}.log")
        node.__enter__()
        self._nodes[name] = node
        self._urls[name] = node.url


def write_traffic(path: Path, mood: str, seed: int) -> None:
    """Make the traffic of a typical person in a mood.

    Args:
        path: The capture file.
        mood: The person's mood.
        seed: What sessions and packets are drawn from.
    """
    from edgewright.tools.simulation.apps import CATEGORIES, make_profile
    from edgewright.tools.simulation.people import typical_person
    from edgewright.tools.simulation.traces import capture, plan_usage

    rng = np.random.default_rng(seed)
    person = typical_person(mood)
    profiles = [make_profile(name, 900 + int(rng.integers(100))) for name in CATEGORIES]
    path.write_bytes(capture(rng, plan_usage(rng, person.shares, profiles, minutes=_MINUTES)))


def write_sound(path: Path, mood: str, seed: int) -> None:
    """Make what the speaker's microphone hears of a typical person in a mood.

    Args:
        path: The WAV file.
        mood: The person's mood.
        seed: What breaths, beats and the room are drawn from.
    """
    from edgewright.tools.sensing.acoustic.probe import Probe
    from edgewright.tools.sensing.wav import write_wav
    from edgewright.tools.simulation.chest import chest_motion
    from edgewright.tools.simulation.people import typical_person
    from edgewright.tools.simulation.room import Scene, record

    rng = np.random.default_rng(seed)
    person, probe = typical_person(mood), Probe()
    motion = chest_motion(rng, person.vitals, _SECONDS, moves=False)
    scene = Scene(distance_m=_DISTANCE_M, snr_db=_SNR_DB)
    samples = record(rng, scene, motion, probe.waveform(), probe.sample_rate)
    path.write_bytes(write_wav(samples, probe.sample_rate))
