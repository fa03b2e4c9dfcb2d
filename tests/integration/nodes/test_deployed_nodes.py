"""The nodes of deploy/compose.yaml as their containers confine them: a user of their own, a
read-only root, secrets as files, and the image's health check."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="run make system first")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Container:
    """One service of the compose file, confined as its container would be."""

    def __init__(self, name: str, folder: Path, ports: dict[str, int], profile: Path) -> None:
        self.state = folder / name
        self.state.mkdir(mode=0o777)
        shutil.copy(profile, self.state)
        service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"][name]
        config = folder / f"{name}.yaml"
        config.write_text(f"preload: []\nprofile_file: {self.state / profile.name}\n")
        self.environment = {
            variable: value.replace("/run/secrets", str(folder / "secrets")).replace(
                "http://edge:8760", f"http://127.0.0.1:{ports['edge']}"
            )
            for variable, value in service["environment"].items()
        } | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "EDGEWRIGHT_HOME": str(self.state),
            "EDGEWRIGHT_CACHE": str(self.state / "cache"),
            "EDGEWRIGHT_MODELS": str(self.state / "models"),
            "EDGEWRIGHT_NODE_CONFIG": str(config),
            "EDGEWRIGHT_NODE_HOST": "0.0.0.0",
            "EDGEWRIGHT_NODE_PORT": str(ports[name]),
            "TMPDIR": str(self.state),
        }

    def command(self, *program: str) -> list[str]:
        user = re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.M)
        assert user is not None
        return [
            *("bwrap", "--die-with-parent", "--unshare-user", "--unshare-pid", "--cap-drop", "ALL"),
            *("--uid", user[1], "--gid", user[2], "--ro-bind", "/", "/", "--dev", "/dev"),
            *("--proc", "/proc", "--bind", str(self.state), str(self.state)),
            *program,
        ]

    @contextmanager
    def running(self) -> Iterator[dict[str, str]]:
        """Run the image's entry point and yield its ready line."""
        entry = re.search(r"^ENTRYPOINT (.*)$", CONTAINERFILE, re.M)
        assert entry is not None
        command = self.command(*json.loads(entry[1]))
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as node:
            try:
                assert node.stdout is not None
                yield json.loads(node.stdout.readline())
            finally:
                node.terminate()

    def healthy(self) -> bool:
        """Run the image's health check."""
        check = re.search(r"HEALTHCHECK .*?CMD (\[.*?\])", CONTAINERFILE, re.S)
        assert check is not None
        command = self.command(*json.loads(check[1]))
        return subprocess.run(command, env=self.environment, timeout=60).returncode == 0


def get(url: str, key: str) -> dict[str, object]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.load(answer))


@pytest.mark.slow
def test_a_composed_device_and_edge_server_work_together(
    tmp_path: Path, node_profiles: Path
) -> None:
    subprocess.run(["sh", DEPLOY / "make-secrets.sh", tmp_path / "secrets"], check=True, timeout=20)
    ports = {"edge": free_port(), "device": free_port()}
    edge, device = (Container(name, tmp_path, ports, node_profiles) for name in ports)
    assert not edge.healthy()
    with ExitStack() as stack:
        stack.enter_context(edge.running())
        assert edge.healthy()
        ready = stack.enter_context(device.running())
        assert device.healthy()
        assert ready["node"] == "device"
        url = f"http://127.0.0.1:{ports['device']}"
        key = (tmp_path / "secrets/client-to-device").read_text().strip()
        profile = get(f"{url}/v1/profile", key)
        assert profile["peers"]["edge"]["link"]["up"] is True  # the device's key is right
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(f"{url}/v1/profile", "another")
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"secrets", "edge", "device", "edge.yaml", "device.yaml"}
