"""Models of the hub: the commit is resolved when they are installed, and what is loaded is that.

A small server on loopback stands for the hub. The hub's client reads its settings when it is
imported, so each step runs in a process of its own.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

from edgewright.tools.models.installed import InstalledManifest

REPOSITORY = "google/vit-base-patch16-224"
LARGE = "zz.safetensors"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Hub(ThreadingHTTPServer):
    """Serves one repository; ``commits`` holds the files of each commit, the last one is main."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.commits = {}
        self.calls = []
        #: Number of bytes after which the first download of weights breaks; None for never.
        self.breaks_after = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def commit(self, files):
        digest = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.commits[digest] = files
        return digest


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub = self.server
        path = self.path.partition("?")[0]
        hub.calls.append((self.command, path, self.headers.get("Range")))
        main = list(hub.commits)[-1]
        if path == f"/api/models/{REPOSITORY}/revision/main":
            self._json({"id": REPOSITORY, "sha": main, "siblings": self._siblings(main)})
            return
        commit, _, name = path.removeprefix(f"/{REPOSITORY}/resolve/").partition("/")
        data = hub.commits.get(commit, {}).get(name)
        if data is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._file(commit, name, data)

    def _siblings(self, commit):
        for name, data in self.server.commits[commit].items():
            digest = hashlib.sha256(self.server.stated.get(name, data)).hexdigest()
            entry = {"rfilename": name, "size": len(data)}
            if name.endswith(".safetensors"):
                entry["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 100}
            yield entry

    def log_message(self, *arguments):
        """Stay silent."""

    def _json(self, value):
        value["siblings"] = list(value["siblings"])
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _file(self, commit, name, data):
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if begin else 200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        broken = None if begin or name != LARGE else self.server.breaks_after
        self.wfile.write(data[begin:][:broken])
        if broken is not None:
            self.close_connection = True


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Two versions of a small ViT, as the files of a repository."""

    def version(seed):
        torch.manual_seed(seed)
        folder = tmp_path_factory.mktemp("vit")
        config = ViTConfig(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            image_size=32, patch_size=16, id2label={0: "cat", 1: "dog"}, label2id={"cat": 0},
        )  # fmt: skip
        ViTForImageClassification(config).save_pretrained(folder)
        ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        return {**files, "pytorch_model.bin": b"never fetched", "README.md": b"text"}

    return version(0), version(1)


@pytest.fixture
def hub(weights):
    server = Hub()
    server.stated = {}
    server.commit(weights[0])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def edgewright(hub, tmp_path):
    """Runs the command with this hub; HF_HUB_OFFLINE is set as requested."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "EDGEWRIGHT_MODELS": str(tmp_path / "models"),
        "EDGEWRIGHT_CACHE": str(tmp_path / "cache"),
        "EDGEWRIGHT_ENGINE": "torch",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("EDGEWRIGHT_VIT", None)

    def run(*command, offline="0"):
        return subprocess.run(
            [sys.executable, *command],
            env={**environment, "HF_HUB_OFFLINE": offline},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def models(*arguments, offline="0"):
        program = "from edgewright.cli.main import app; app()"
        return run("-c", program, "models", *arguments, offline=offline)

    models.run = run
    return models


def manifest(tmp_path):
    return InstalledManifest.model_validate_json((tmp_path / "models" / "vit.json").read_bytes())


LOAD = "from edgewright.tools.library import load_adapter; print(load_adapter('vit').label_names)"


def test_the_commit_is_locked_and_what_is_loaded_has_to_match(hub, edgewright, weights, tmp_path):
    installed = edgewright("install", "vit")
    assert installed.returncode == 0, installed.stderr
    first = next(iter(hub.commits))
    lock = manifest(tmp_path)
    assert lock.source == f"hub {REPOSITORY}@{first}"
    assert "pytorch_model.bin" not in lock.files
    stated = hashlib.sha256(weights[0]["model.safetensors"]).hexdigest()
    assert lock.files["model.safetensors"] == stated

    # Main moves on; what is installed stays as it is, offline as well.
    second = hub.commit(weights[1])
    assert edgewright("install", "vit").returncode == 0
    assert manifest(tmp_path) == lock
    loaded = edgewright.run("-c", LOAD, offline="1")
    assert "cat" in loaded.stdout, loaded.stderr
    assert not any(second in path for _, path, _ in hub.calls)

    folder = tmp_path / "models" / lock.folder
    changed = bytearray((folder / "model.safetensors").read_bytes())
    changed[-3] ^= 1
    (folder / "model.safetensors").unlink()  # it shares its bytes with the hub's cache
    (folder / "model.safetensors").write_bytes(changed)
    refused = edgewright.run("-c", LOAD, offline="1")
    assert "model.safetensors is damaged" in refused.stderr
    assert "edgewright models install vit" in refused.stderr
    assert edgewright("verify", offline="1").returncode == 1

    assert edgewright("remove", "vit").returncode == 0
    assert edgewright("install", "vit").returncode == 0
    assert manifest(tmp_path).source == f"hub {REPOSITORY}@{second}"


def test_a_download_that_breaks_continues(hub, edgewright, weights, tmp_path):
    hub.commit({**weights[0], LARGE: bytes(14_000_000)})
    hub.breaks_after = 11_000_000  # the hub's client writes pieces of 10 MB
    broken = edgewright("install", "vit")
    hub.breaks_after = None
    if broken.returncode:  # the hub's client may have continued by itself
        assert not (tmp_path / "models" / "vit.json").exists()
        assert edgewright("install", "vit").returncode == 0
    continued = [requested for _, path, requested in hub.calls if path.endswith(LARGE)]
    assert any(requested and not requested.startswith("bytes=0-") for requested in continued)
    assert edgewright("verify").stdout == "vit: ok\n"


def test_a_hub_that_is_not_reached_or_lies_is_reported(hub, edgewright, weights, tmp_path):
    offline = edgewright("install", "vit", offline="1")
    assert offline.returncode == 1
    assert "HF_HUB_OFFLINE is set" in offline.stderr
    hub.stated = {"model.safetensors": b"other weights"}
    damaged = edgewright("install", "vit")
    assert "does not have the digest that the hub states" in damaged.stderr
    files = {name: data for name, data in weights[0].items() if not name.endswith("safetensors")}
    hub.commit(files)
    assert "no safetensors" in edgewright("install", "vit").stderr
    hub.commits = {"0" * 40: {}}
    json_error = json.loads(edgewright("install", "whisper", "--json").stdout)
    assert json_error["catalogue"][0]["error"]["code"] == "hub_unreachable"
    assert [path.name for path in (tmp_path / "models").glob("vit*")] == []
