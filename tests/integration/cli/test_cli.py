"""The console script in processes of its own, with real nodes."""

import json
import re
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from edgewright.tools.nodes.launch import launch_node

pytestmark = pytest.mark.timeout(180)

#: The console script, wherever it is installed.
EDGEWRIGHT = [sys.executable, "-c", "from edgewright.cli.main import app; app()"]


def processes_of(environment):
    """List the processes that were started with this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("EDGEWRIGHT_HOME") == environment["EDGEWRIGHT_HOME"]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def await_none(environment, within_s=20.0):
    deadline = time.monotonic() + within_s
    while remaining := processes_of(environment):
        assert time.monotonic() < deadline, remaining
        time.sleep(0.1)


def test_ask_starts_a_node_of_its_own_and_stops_it(edgewright, environment, photographs):
    done = edgewright("ask", "Which animal is in this picture?", "-i", photographs / "cat.png")
    assert done.returncode == 0, done.stderr
    assert "cat" in done.stdout.lower()
    assert done.stdout.count("\n") == 1
    assert re.fullmatch(r"[\d.]+ s · 0 B up · on the device · [\d.]+ J\n", done.stderr)
    await_none(environment, within_s=5.0)


def test_ask_explains_on_request_and_prints_the_answer_alone(edgewright, device, photographs):
    args = ("Which animal is in this picture?", "--image", photographs / "cat.png")
    done = edgewright("ask", "--explain", *args, "--node", device.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    for part in ("plan by the embedded planner", "image=cat.png", "t1 runs device-only", "stages"):
        assert part in done.stderr
    assert done.stderr.splitlines()[-1].startswith(tuple("0123456789"))


def test_answers_about_several_images_name_them(edgewright, device, photographs):
    images = ("-i", photographs / "cat.png", "-i", photographs / "cup.png")
    done = edgewright("ask", "What is in these pictures?", *images, "--node", device.url)
    assert done.returncode == 0, done.stderr
    assert re.match(r"cat\.png: .*cat.*\. cup\.png: .*cup", done.stdout)
    assert done.stderr.count("\n") == 1


def test_ask_as_json_keeps_its_contract(edgewright, device, photographs):
    args = ("Which animal is in this picture?", "--image", photographs / "cat.png")
    done = edgewright("ask", "--json", *args, "--node", device.url)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"answer", "plan", "results"}
    assert "cat" in answer["answer"].lower()
    assert {"request", "tasks", "notes", "planner", "confidence", "needs", "reason"} == set(
        answer["plan"]
    )
    (result,) = answer["results"]
    assert {"task_id", "status", "output", "report"} <= set(result)
    assert {
        *("arm", "nodes", "model", "bytes_up", "bytes_down", "stages_ms", "fallback"),
    } <= set(result["report"])
    assert result["report"]["nodes"] == ["camera-1"]


def test_ask_about_a_cameras_photograph(edgewright, device):
    done = edgewright(
        "ask",
        "--json",
        "Which drink is this?",
        "-i",
        "camera:cup.png",
        EDGEWRIGHT_DEVICE_URL=device.url,
    )
    assert done.returncode == 0, done.stderr
    assert "espresso" in json.loads(done.stdout)["answer"].lower()


def test_ask_without_an_image_asks_for_it(edgewright, device):
    done = edgewright("ask", "--json", "Which animal is in this picture?", "--node", device.url)
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["plan"]["needs"] == ["image"]
    assert "attach" in answer["answer"]
    assert {result["status"] for result in answer["results"]} == {"unavailable"}
    assert {result["error"]["code"] for result in answer["results"]} == {"input_missing"}


def test_an_unreachable_node_is_reported_in_the_answer(edgewright, photographs):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        args = ("Which animal is in this picture?", "-i", photographs / "cat.png", "--node", url)
        done = edgewright("ask", "--json", *args)
    answer = json.loads(done.stdout)
    assert answer["results"][0]["status"] == "unavailable"
    assert answer["results"][0]["error"]["code"] == "link_refused"
    assert answer["results"][0]["output"] == {}


def test_chat_remembers_the_image_and_continues_after_errors(edgewright, device, photographs):
    lines = [
        f"/image {photographs / 'none.png'}",
        f"/image {photographs / 'cat.png'}",
        "Which animal is in this picture?",
        "And what colour is it?",
        "/history",
        "/explain",
        "Which animal is in this picture?",
        "/new",
        "/help",
        "/unknown",
        "",
        "/quit",
        "never read",
    ]
    done = edgewright("chat", "--node", device.url, stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert "[file_missing]" in done.stderr
    assert "attached cat.png" in done.stderr
    assert "/image FILE" in done.stderr
    answers = done.stdout.splitlines()
    assert "cat" in answers[0].lower()
    assert "brown" in answers[1]
    assert answers[2] == "> Which animal is in this picture?"
    before, explained = done.stderr.split("explanations are on")
    assert "image=cat.png" not in before
    assert "image=cat.png" in explained
    assert "never read" not in done.stdout
    assert "Traceback" not in done.stderr


def test_chat_as_json_prints_one_reply_a_line(edgewright, device, photographs):
    lines = f"/image {photographs / 'none.png'}\nWhich animal is in this picture?\nAnd its colour?"
    args = ("--node", device.url, "--image", photographs / "cat.png")
    done = edgewright("chat", "--json", *args, "--thread", "garden", stdin=lines)
    error, first, second = map(json.loads, done.stdout.splitlines())
    assert error["error"]["code"] == "file_missing"
    assert "cat" in first["answer"].lower()
    assert second["plan"]["tasks"][0]["args"]["image"].startswith("store:")
    done = edgewright("ask", "What was the animal?", "--thread", "garden", "--node", device.url)
    assert done.returncode == 0, done.stderr


def test_ctrl_c_stops_the_request_and_the_private_node(environment, photographs):
    process = subprocess.Popen(
        [*EDGEWRIGHT, "ask", "Which animal is it?", "-i", str(photographs / "cat.png")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    deadline = time.monotonic() + 30
    while len(processes_of(environment)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert err.rstrip().endswith("stopped")
    await_none(environment)


def test_ctrl_c_in_a_chat_stops_the_request_alone(environment, photographs):
    slow = {"name": "slow", "role": "device", "port": 0, "slowdown": 100}
    with launch_node(slow) as device:
        process = subprocess.Popen(
            [
                *(*EDGEWRIGHT, "chat", "--explain", "--node", device.url),
                *("-i", str(photographs / "cat.png")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        process.stdin.write("Which animal is in this picture?\n")
        process.stdin.flush()
        while "t1 runs" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate("/history\n/quit\n", timeout=60)
    assert process.returncode == 0
    assert "stopped; the thread continues" in err
    assert "Traceback" not in out + err


def test_node_runs_in_the_foreground_until_it_is_stopped(environment, tmp_path):
    config = tmp_path / "edge.yaml"
    config.write_text("name: edge-1\nrole: edge\nport: 0\n")
    process = subprocess.Popen(
        [*EDGEWRIGHT, "node", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        ready = json.loads(process.stdout.readline())
        assert ready["event"] == "ready"
        assert ready["node"] == "edge-1"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    await_none(environment)


def test_a_port_that_is_taken_is_reported(edgewright, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = edgewright("node", "--port", taken.getsockname()[1], "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "port_taken"
    assert "Traceback" not in done.stderr


def test_an_invalid_configuration_is_reported(edgewright, tmp_path):
    (tmp_path / "node.yaml").write_text("role: toaster\n")
    done = edgewright("node", "--config", tmp_path / "node.yaml")
    assert done.returncode == 2
    assert "role" in done.stderr
    assert "[invalid_config]" in done.stderr


def test_profile_measures_and_stores_the_times(edgewright, environment, photographs, tmp_path):
    config = tmp_path / "device.yaml"
    config.write_text(f"name: camera-2\ncamera: {photographs}\n")
    done = edgewright("profile", "--config", config, "--runs", "1", "--json")
    assert done.returncode == 0, done.stderr
    profile = json.loads(done.stdout)
    model = profile["models"]["efficientnet-lite0"]
    assert all(block["ms"] > 0 for block in model["blocks"])
    assert all(point["frame_bytes"] > 0 for point in model["points"])
    stored = json.loads((tmp_path / "state" / "profiles" / "camera-2.json").read_text())
    assert stored == profile
    shown = edgewright("profile", "--config", config, "--runs", "1")
    assert "efficientnet-lite0 on camera-2" in shown.stdout
    await_none(environment)


def test_cards_are_listed_as_the_node_sees_them(edgewright, device):
    cards = json.loads(edgewright("plan", "--list", "--json", "--node", device.url).stdout)
    assert {card["id"] for card in cards if card["available"]} >= {"image-classification"}
