"""Objects and poses are found by networks that are cut between a device and its edge server."""

from io import BytesIO

import pytest
from PIL import Image
from skimage import data

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.perceptions import Perceptions
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.offload.profiling.retained import retained
from edgewright.tools.vision.perception.needed import POSE, SECOND_DETECTOR

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.installed(SECOND_DETECTOR, POSE),
]


@pytest.fixture
async def device(tmp_path):
    """A device with an edge server; neither measures itself."""
    common = {"port": 0, "measure": "never", "preload": [SECOND_DETECTOR, POSE]}
    async with launch_node({**common, "name": "edge", "role": "edge"}) as edge:
        peer = {"url": edge.url}
        limits = {"peer_patience_s": 30}  # a busy machine is no lost link
        config = {**common, "name": "device", "role": "device", "peers": [peer], "limits": limits}
        async with launch_node(config) as node, NodeClient(node.url, timeout_s=120) as client:
            yield client


def photograph():
    buffer = BytesIO()
    Image.fromarray(data.astronaut()).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("card", "expert", "point"),
    [
        ("object-detection", f"{SECOND_DETECTOR}-detector", 10),
        ("pose-detection", f"{POSE}-detector", 4),
    ],
)
async def test_a_cut_network_finds_what_the_uncut_one_finds(device, card, expert, point):
    image = photograph()

    async def found(arm):
        options = InvokeOptions(expert=expert, arm=arm, deadline_s=100)
        response = await device.invoke(card, options, image)
        assert not response.report.fallback
        return response

    whole = await found(Arm(kind="device-only"))
    cut = await found(Arm(kind="co-inference", point=point))
    sent = await found(Arm(kind="edge-only", image_codec="webp", quality=90))
    assert cut.report.nodes == ["device", "edge"]
    assert 0 < cut.report.frame_bytes < 100_000
    assert sent.report.nodes[-1] == "edge"
    for other in (cut, sent):
        seen = Perceptions.model_validate(other.output["perceptions"])
        assert (seen.width, seen.height) == (512, 512)
        kept, of = retained(whole.output, other.output)
        assert of > 0
        assert kept >= 0.8 * of
