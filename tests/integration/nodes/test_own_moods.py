"""Two nodes hold labels of somebody's moods, and train on them without showing any."""

import json
import subprocess
import sys

import pytest

from edgewright.cli.demo.moods import write_traffic
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.views import MoodLabel
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.mood_client import MoodClient

CARD = "mood-from-network-traffic"
#: What the person calls the mood in which the simulated one is tense, sad or happy.
WORDS = {"tense": "busy", "sad": "low", "happy": "bright"}


def _run(*words: str) -> dict:
    command = [sys.executable, "-c", "from edgewright.cli.main import app; app()", "moods"]
    done = subprocess.run(
        [*command, *words, "--json"], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_two_nodes_learn_each_others_moods_from_the_command_line(tmp_path):
    capture = tmp_path / "traffic.pcap"
    write_traffic(capture, "tense", 0)
    nodes = [
        launch_node(
            {
                "name": name,
                "role": "device",
                "port": 0,
                "preload": [],
                "measure": "never",
                "sensors": [{"name": "flat", "kind": "wifi", "source": str(capture)}],
            },
            environment={"EDGEWRIGHT_HOME": str(tmp_path / name)},
        )
        for name in ("hall", "study")
    ]
    with nodes[0] as hall, nodes[1] as study:
        # Each room sees moods that the other one does not.
        for node, moods in ((hall, ("tense", "sad")), (study, ("happy", "sad"))):
            async with MoodClient(node.url) as client:
                for number in range(12):
                    mood = moods[number % 2]
                    write_traffic(capture, mood, number)
                    held = await client.label_mood(CARD, MoodLabel(label=WORDS[mood]))
            assert held.labels == {WORDS[mood]: 6 for mood in moods}
        urls = f"{hall.url},{study.url}"
        trained = _run("train", CARD, "--node", urls, "--rounds", "30")
        assert trained["labels"] == ["bright", "busy", "low"]
        assert (trained["samples"], trained["nodes"], trained["tested"]) == (20, 2, 4)
        for node, unseen in ((hall, "happy"), (study, "tense")):
            write_traffic(capture, unseen, 50)
            async with MoodClient(node.url) as client:
                answer = await client.invoke(CARD, InvokeOptions(), None)
            assert answer.output["labels"][0]["label"] == WORDS[unseen]
            assert "20 labels of your own on 2 nodes" in answer.output["text"]
        labelled = _run("label", CARD, "tired", "--node", hall.url)
        assert labelled["nodes"][0]["labels"]["tired"] == 1
        assert _run("forget", CARD, "--node", urls)["nodes"][1]["labels"] == {}
