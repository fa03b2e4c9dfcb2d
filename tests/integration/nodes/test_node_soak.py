"""Long mixed traffic, good and bad, with killed workers and cut links: nothing grows.

The suite has less time than ``make soak``, which takes EDGEWRIGHT_TEST_SOAK_S seconds.
"""

import asyncio
import io
import json
import os
import random
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import OPTIONS_HEADER, InvokeOptions
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

SECONDS = float(os.environ.get("EDGEWRIGHT_TEST_SOAK_S", "60"))
CARD = "image-classification"
INVOKE = f"/v1/tools/{CARD}:invoke"
ARMS = (
    Arm(kind="device-only"),
    Arm(kind="co-inference", point=4),
    Arm(kind="edge-only"),
)
#: Shorter than in use, so that the soak sees more of what they end.
LIMITS = {"head_s": 2.0, "send_s": 2.0, "upload_s": 2.0, "peer_patience_s": 1.0}
#: What one moment may differ from another: open connections, and memory that is kept for reuse.
SPARE_DESCRIPTORS, SPARE_MB = 40, 30


def _many_scans() -> bytes:
    usual = io.BytesIO()
    Image.new("L", (2000, 2000)).save(usual, "JPEG", progressive=True)
    image = usual.getvalue()
    return image[:-2] + image[image.rindex(b"\xff\xda") : -2] * 2000 + image[-2:]


class Soak:
    """The traffic.

    Attributes:
        wrong: Responses that were not as expected.
        answered: Number of right ones.
        lost: Number of calls that reported a fault which a retry may overcome.
    """

    def __init__(self, device, edge, link, image, expected) -> None:
        self.device, self.edge, self.link = device, edge, link
        self.image, self.expected = image, expected
        self.until = time.monotonic() + SECONDS
        self.random = random.Random(0)
        self.wrong: list[str] = []
        self.answered = self.lost = 0

    async def every(self, act, pause_s: float) -> None:
        while time.monotonic() < self.until:
            await act()
            await asyncio.sleep(pause_s)

    async def call(self) -> None:
        async with NodeClient(self.device.url) as client:
            options = InvokeOptions(arm=self.random.choice(ARMS), deadline_s=30)
            try:
                output = (await client.invoke(CARD, options, self.image)).output
            except EdgewrightError as error:
                if error.info().retryable:
                    self.lost += 1
                else:
                    self.wrong.append(repr(error))
                return
            if output not in self.expected:
                self.wrong.append(json.dumps(output))
            self.answered += 1

    async def send_nonsense(self) -> None:
        jpeg = {"Content-Type": "image/jpeg"}
        tiny = {OPTIONS_HEADER: json.dumps({"deadline_s": 0.004})}
        kinds = [
            (INVOKE, self.image[:300], jpeg, 422), (INVOKE, b"", jpeg, 422),
            (INVOKE, b"text", {"Content-Type": "text/plain"}, 415),
            (INVOKE, _MANY_SCANS, jpeg, 413), (INVOKE, self.image, jpeg | tiny, 504),
            ("/v1/tools/none:invoke", self.image, jpeg, 404), ("/none", b"", {}, 404),
            ("/v1/split/efficientnet-lite0/tail", b"EWF" + bytes(99),
             {"Content-Type": "application/octet-stream",
              OPTIONS_HEADER: '{"expert": "efficientnet-lite0-classifier"}'}, 422),
            ("/v1/probe", b"x", {"Origin": "https://other.example"}, 403),
        ]  # fmt: skip
        path, body, headers, status = self.random.choice(kinds)
        node = self.random.choice((self.device, self.edge))
        async with httpx.AsyncClient(base_url=node.url, timeout=30) as client:
            answer = await client.post(path, content=body, headers=headers)
        # While a worker is replaced, or the queue is full, that is the answer to anything.
        if answer.status_code not in (status, 429, 503, 504):
            self.wrong.append(f"{path} {status}: {answer.text}")

    async def misuse_connections(self) -> None:
        port = int(self.random.choice((self.device, self.edge)).url.rpartition(":")[2])
        head = b"GET /v1/tools HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        sent = self.random.choice((b"", head, (head + b"\r\n") * 8, b"\x00\x01\r\n\r\n"))
        opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for one in opened:
            with suppress(OSError):
                one.sendall(sent)
        await asyncio.sleep(self.random.uniform(0, 4))
        for one in opened:
            one.close()

    async def kill_a_worker(self) -> None:
        node = psutil.Process(self.random.choice((self.device, self.edge)).pid)
        leaves = [each for each in node.children(recursive=True) if not each.children()]
        with suppress(psutil.NoSuchProcess, IndexError):
            # The youngest is a model worker, not the process that forks them.
            os.kill(max(leaves, key=lambda each: each.create_time()).pid, signal.SIGKILL)

    async def cut_the_link(self) -> None:
        self.link.cut_after(self.random.randrange(1, 40_000))
        await asyncio.sleep(1)
        self.link.refuse(True)
        await asyncio.sleep(self.random.uniform(0, 1))
        self.link.refuse(False)


_MANY_SCANS = _many_scans()


class Samples:
    """Descriptors, memory and temporary files of the nodes over time."""

    def __init__(self, nodes, folder) -> None:
        self._nodes = [psutil.Process(node.pid) for node in nodes]
        self._folder = folder
        self.rows: list[list[float]] = []

    async def take(self) -> None:
        self.rows.append(
            [
                sum(node.num_fds() for node in self._nodes),
                sum(node.memory_info().rss for node in self._nodes) / 1e6,
                sum(1 for _ in self._folder.iterdir()),
            ]
        )

    def growth(self) -> list[float]:
        """Return by how much the last third exceeds the second, by medians."""
        third = len(self.rows) // 3
        parts = np.array(self.rows[third : 2 * third]), np.array(self.rows[2 * third :])
        return (np.median(parts[1], axis=0) - np.median(parts[0], axis=0)).tolist()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 240)
async def test_nothing_grows_under_long_mixed_traffic(node_settings, encoded, tmp_path):
    async with AsyncExitStack() as stack:
        # Sockets lie in it, whose paths must be short.
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="soak-")))
        log = tmp_path / "nodes.log"
        start = partial(launch_node, environment={"TMPDIR": str(scratch)}, log=log)
        edge = await stack.enter_async_context(start(node_settings("edge", limits=LIMITS)))
        link = await stack.enter_async_context(
            ShapedLink("127.0.0.1", int(edge.url.rpartition(":")[2]))
        )
        peer = {"url": f"http://127.0.0.1:{link.port}", "poll_s": 0.5}
        device = await stack.enter_async_context(
            start(node_settings("device", peers=[peer], limits=LIMITS))
        )
        client = await stack.enter_async_context(NodeClient(device.url))
        expected = [
            (await client.invoke(CARD, InvokeOptions(arm=arm), encoded())).output for arm in ARMS
        ]
        soak = Soak(device, edge, link, encoded(), expected)
        samples = Samples((device, edge), scratch)
        await asyncio.gather(
            soak.every(soak.call, 0.05), soak.every(soak.call, 0.2),
            soak.every(soak.send_nonsense, 0.05),
            soak.every(soak.misuse_connections, 0.5),
            soak.every(soak.kill_a_worker, 10),
            soak.every(soak.cut_the_link, 5),
            soak.every(samples.take, 0.5),
        )  # fmt: skip
        await asyncio.sleep(LIMITS["head_s"] + 1)
        output = (await client.invoke(CARD, InvokeOptions(arm=ARMS[0]), encoded())).output
    descriptors, memory_mb, files = samples.growth()
    figures = {
        "answered": soak.answered, "lost": soak.lost, "descriptors": descriptors,
        "memory_mb": round(memory_mb, 1), "temporary files": files, "first": samples.rows[0],
        "last": samples.rows[-1],
    }  # fmt: skip
    sys.stdout.write(json.dumps(figures) + "\n")
    lines = [line for line in log.read_text("utf-8").splitlines() if '"exception"' in line]
    if lines:
        last = json.loads(lines[-1])
        pytest.fail(f"{len(lines)} exceptions, last: {last['message']}\n{last['exception']}", False)
    assert not soak.wrong, soak.wrong[:3]
    assert output == expected[0]
    assert soak.answered > SECONDS / 2
    assert soak.lost < soak.answered
    assert descriptors < SPARE_DESCRIPTORS, figures
    assert memory_mb < SPARE_MB, figures
    assert files < 1, figures
