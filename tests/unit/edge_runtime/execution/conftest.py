"""A device with its edge server behind a transport that fails on demand."""

import asyncio

import httpx
import pytest

from edgewright.edge_runtime.execution.fallback import Execution
from edgewright.edge_runtime.execution.invocation import prepare
from edgewright.edge_runtime.keys import ANONYMOUS
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ModelProfile,
    NodeProfile,
    PointProfile,
)
from edgewright.tools.nodes.client import NodeClient

MODEL = "efficientnet-lite0"
CARD = "image-classification"
SPLIT = Arm(kind="co-inference", point=4)
ALONE = Arm(kind="device-only")


class Wire(httpx.AsyncBaseTransport):
    """A transport to an application in this process, with faults on demand.

    Attributes:
        edge: The application.
        failure: An exception to raise, or a stall in seconds.
        answer: A response to return instead of the application's.
    """

    def __init__(self, app):
        self.edge = app
        self._inner = httpx.ASGITransport(app=app)
        self.failure = None
        self.answer = None
        self.paths = []

    async def handle_async_request(self, request):
        self.paths.append(request.url.path)
        if isinstance(self.failure, float):
            await asyncio.sleep(self.failure)
        elif self.failure is not None:
            body = request.stream.__aiter__()
            await anext(body, None)
            raise self.failure
        if self.answer is not None:
            status, headers, content = self.answer
            return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))
        return await self._inner.handle_async_request(request)


@pytest.fixture
def wire(make_app):
    return Wire(make_app(role="edge", name="edge"))


@pytest.fixture
async def node(make_app, wire):
    async with NodeClient("http://localhost", transport=wire) as client:
        app = make_app(
            role="device",
            name="device",
            peers=[{"url": "http://localhost"}],
            limits={"peer_patience_s": 1.0},
            link_prior={"rate_kb_per_s": 1_000_000, "rtt_ms": 1},
            peer_clients={"edge": client},
        )
        yield app.state.node


async def _run(node, image, arm=None, **options):
    call = await prepare(node, CARD, InvokeOptions(arm=arm, **options), image, caller=ANONYMOUS)
    return await Execution(node, call).run()


def _fail(node, operation: str, error: Exception) -> None:
    node.workers.worker(MODEL).failures[operation] = error


def _profile(node, **more) -> ModelProfile:
    point = PointProfile(
        point=4, name="b4", frame_bytes=30_000, encode_ms=1, decode_ms=1, accuracy_retention=1.0
    )
    profile = ModelProfile(
        model=MODEL,
        revision=node.revision(MODEL),
        encodings=node.workers.worker(MODEL).description.get("encodings", ""),
        decoding=[
            DecodingProfile(
                mime="image/jpeg",
                ms_per_megapixel=10,
                ms_per_megabyte=50,
                pixels=100_000,
                bytes=30_000,
            )
        ],
        preprocess_ms=5,
        preprocess_pixels=100_000,
        blocks=[BlockProfile(name=f"b{index}", ms=5) for index in range(18)],
        postprocess_ms=1,
        points=[point],
        image_codecs=[],
    )
    return profile.model_copy(update=more)


def _set_profiles(node, **more) -> None:
    """Give the device its own profile and its peer's."""
    node.profile = node.profile.model_copy(update={"models": {MODEL: _profile(node)}})
    models = {MODEL: _profile(node, **more)}
    node.peers["edge"].profile = NodeProfile(node="edge", role="edge", models=models)


@pytest.fixture
def run_call():
    return _run


@pytest.fixture
def fail():
    return _fail


@pytest.fixture
def own_profile():
    return _profile


@pytest.fixture
def set_profiles():
    return _set_profiles
