"""What leaves a node with sensors, and what it writes: watched at its sockets and on its disk."""

import asyncio
import base64

import numpy as np
import psutil
import pytest

from edgewright.cli.demo.moods import write_sound, write_traffic
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.views import SensorRequest
from edgewright.tools.errors import ScopeError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.sensing.wav import read_wav
from edgewright.tools.simulation.packets import TCP, Wire, write_capture

SECRET = b"what was said in confidence, and to nobody else"
SERVER = bytes((93, 10, 20, 30))


#: How encoded images begin, as far as other bytes hardly ever do.
IMAGES = (b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x89PNG\r\n\x1a\n", b"WEBPVP8", b"ftypavif")


class Tap:
    """Passes connections on to a node, and keeps every byte that it gets and sends."""

    def __init__(self, port: int) -> None:
        self.got = bytearray()
        self.sent = bytearray()
        self._target = port

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)

        async def pass_on(source, target, kept):
            while data := await source.read(65_536):
                kept.extend(data)
                target.write(data)
                await target.drain()
            target.close()

        ways = (pass_on(reader, up_writer, self.got), pass_on(up_reader, writer, self.sent))
        await asyncio.gather(*ways, return_exceptions=True)


def _marks(sound: bytes, photograph: bytes) -> list[bytes]:
    """Return pieces of what must stay: payload, sound and photograph, plain and in base64."""
    samples = read_wav(sound)[0].astype("<i2").tobytes()
    middle = len(samples) // 2 // 3 * 3
    pieces = [SECRET, samples[middle : middle + 48], photograph[300:348]]
    # Base64 of a run that begins at a multiple of three bytes is the same wherever it stands.
    return [*pieces, base64.b64encode(samples[middle : middle + 48]), base64.b64encode(SECRET)]


def _written(*folders) -> bytes:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


@pytest.fixture
def sources(tmp_path, encoded):
    folder = tmp_path / "sensors"
    (folder / "camera").mkdir(parents=True)
    (folder / "camera" / "cat.jpg").write_bytes(encoded())
    write_sound(folder / "sound.wav", "calm", 5)
    write_traffic(folder / "traffic.pcap", "calm", 5)
    talk = [Wire(n, SERVER, 443, 40_001, TCP, n % 2 == 0, 1_200, SECRET) for n in range(40)]
    body = (folder / "traffic.pcap").read_bytes()
    (folder / "traffic.pcap").write_bytes(body + write_capture(talk)[24:])
    return folder


def _config(folder, **rules):
    return {
        "name": "watched",
        "role": "device",
        "port": 0,
        "preload": [],
        "measure": "never",
        "camera": str(folder / "camera"),
        "sensors": [
            {"name": "m", "kind": "microphone", "source": str(folder / "sound.wav"), **rules},
            {"name": "w", "kind": "wifi", "source": str(folder / "traffic.pcap"), **rules},
        ],
    }


@pytest.mark.slow
async def test_nothing_private_leaves_a_node_or_is_stored(tmp_path, sources):
    state, temporary = tmp_path / "state", tmp_path / "temporary"
    temporary.mkdir()
    environment = {
        "EDGEWRIGHT_HOME": str(state),
        "EDGEWRIGHT_CACHE": str(tmp_path / "cache"),
        "TMPDIR": str(temporary),
        "HOME": str(tmp_path / "home"),
    }
    marks = _marks((sources / "sound.wav").read_bytes(), (sources / "camera/cat.jpg").read_bytes())
    log = tmp_path / "log" / "node.log"
    log.parent.mkdir()
    node = launch_node(_config(sources), environment=environment, log=log)
    async with node, Tap(int(node.url.rsplit(":", 1)[1])) as tap, NodeClient(tap.url) as client:
        options = InvokeOptions(deadline_s=110)
        moods = [
            await client.invoke(card, options, None)
            for card in ("mood-from-network-traffic", "mood-from-acoustic-signals")
        ]
        assert [each.status for each in moods] == ["ok", "ok"]
        assert all(each.report.sensor_bytes > 10_000 for each in moods)
        await client.sensors()
        for name, item in (("m", None), ("w", None), ("camera", "cat.jpg")):
            with pytest.raises(ScopeError):
                await client.read_sensor(name, SensorRequest(item=item))
        own = psutil.Process(node.pid)
        for process in (own, *own.children(recursive=True)):
            for connection in process.net_connections(kind="inet"):
                assert connection.laddr.port == int(node.url.rsplit(":", 1)[1])
        written = _written(state, temporary, tmp_path / "cache", tmp_path / "home", log.parent)
    for mark in marks:
        assert mark not in tap.sent
        assert mark not in written
    assert len(tap.sent) < 40_000


@pytest.mark.slow
async def test_the_watch_sees_what_a_configuration_lets_out(tmp_path, sources):
    marks = _marks((sources / "sound.wav").read_bytes(), b"\0" * 400)
    node = launch_node(_config(sources, raw=["*"]), environment={"TMPDIR": str(tmp_path)})
    async with node, Tap(int(node.url.rsplit(":", 1)[1])) as tap, NodeClient(tap.url) as client:
        window = await client.read_sensor("m", SensorRequest(seconds=60))
        traffic = await client.read_sensor("w", SensorRequest(seconds=3600))
    samples = np.frombuffer(base64.b64decode(window["values"]["pcm16_base64"]), "<i2")
    assert len(samples) == 60 * 48_000
    assert marks[3] in tap.sent  # the sound, in base64
    assert SECRET not in tap.sent  # payload is not even read
    assert traffic["values"]["flows"]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_image_goes_to_a_server_that_receives_features(edge_node, node_settings, sources):
    device = node_settings("device", camera=str(sources / "camera"))
    options = InvokeOptions(deadline_s=100, camera="cat.jpg")
    seen = {}
    for receives in ("features", "images"):
        async with Tap(int(edge_node.url.rpartition(":")[2])) as tap:
            peers = [{"url": tap.url, "receives": receives}]
            node = launch_node({**device, "peers": peers})
            async with node, NodeClient(node.url, timeout_s=100) as client:
                while not (await client.profile()).knows_peers:
                    await asyncio.sleep(0.1)
                arms = [None, Arm(kind="co-inference", point=4)]
                if receives == "images":
                    arms.append(Arm(kind="edge-only"))
                for arm in arms:
                    chosen = options.model_copy(update={"arm": arm})
                    answer = await client.invoke("image-classification", chosen, None)
                    assert answer.status == "ok"
            seen[receives] = bytes(tap.got)
    # Features came through both; the watch sees an image where the configuration allows one.
    assert all(len(each) > 5_000 for each in seen.values())
    assert not any(mark in seen["features"] for mark in IMAGES)
    assert any(mark in seen["images"] for mark in IMAGES)
