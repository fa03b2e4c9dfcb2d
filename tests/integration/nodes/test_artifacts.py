"""A device fetches the model that it lacks from its edge server."""

import json
from importlib.resources import files
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from edgewright.edge_runtime.keys import new_key
from edgewright.tools.codecs.frame import pack
from edgewright.tools.codecs.registry import codec_for
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import UnavailableError
from edgewright.tools.images.decode import decode
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

MODEL = "onnx"
OPTIONS = InvokeOptions(expert="onnx-classifier")
TOKEN, DIGEST = new_key()
STRANGER, STRANGERS_DIGEST = new_key()
CAT = files("edgewright.tools.offload") / "photographs" / "cat.jpg"


@pytest.fixture
def classifier(tmp_path) -> Path:
    """Return the folder of a small classifier."""
    random = np.random.default_rng(0)
    weights = {
        "kernels": random.standard_normal((8, 3, 3, 3)),
        "matrix": 40 * random.standard_normal((3, 8)),
    }
    nodes = [
        helper.make_node("Conv", ["image", "kernels"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix"], ["logits"], transB=1),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "small",
        [value("image", onnx.TensorProto.FLOAT, ["N", 3, 16, 16])],
        [value("logits", onnx.TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(one.astype(np.float32), name) for name, one in weights.items()],
    )
    folder = tmp_path / "classifier"
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    (folder / "config.json").write_text(json.dumps({"label_names": ["cat", "dog", "bird"]}))
    return folder


def configured(tmp_path: Path, name: str, **more) -> dict:
    environment = {"EDGEWRIGHT_CACHE": str(tmp_path / name), **more.pop("environment", {})}
    return {
        "name": name,
        "port": 0,
        "preload": [MODEL],
        "measure": "never",
        "environment": environment,
        **more,
    }


@pytest.mark.slow
async def test_a_device_without_a_model_fetches_it_from_its_edge_server(tmp_path, classifier):
    keys = [
        {"name": "device", "sha256": DIGEST, "scopes": ["infer", "artifacts"]},
        {"name": "stranger", "sha256": STRANGERS_DIGEST, "scopes": ["infer"]},
    ]
    variable = {"EDGEWRIGHT_ONNX": str(classifier)}
    edge = configured(tmp_path, "edge", role="edge", keys=keys, environment=variable)
    async with launch_node(edge) as server:
        peer = {"url": server.url, "api_key": STRANGER}
        with pytest.raises(UnavailableError, match=r"EDGEWRIGHT_ONNX.*scope 'artifacts'"):
            async with launch_node(configured(tmp_path, "device", peers=[peer])):
                pass
        peer["api_key"] = TOKEN
        async with (
            launch_node(configured(tmp_path, "device", peers=[peer])) as device,
            NodeClient(device.url) as client,
            NodeClient(server.url, api_key=TOKEN) as direct,
        ):
            frame = _frame(ExportedModel(tmp_path / "device" / "models" / MODEL, threads=1))
            own = await client.tail(MODEL, frame, OPTIONS)
            theirs = await direct.tail(MODEL, frame, OPTIONS)
            assert own.output == theirs.output
            assert own.model == theirs.model
        assert not list((tmp_path / "device" / "downloads").glob("*.part"))
        await _check_ranges(server.url)


def _frame(model: ExportedModel) -> bytes:
    """Return a photograph's features after the first block, as another device would send them."""
    features = model.run(model.array(model.preprocess(decode(CAT.read_bytes()))), 0, 1)
    codec = codec_for(model, 1)
    return pack(codec.encode(features[0]), codec)


async def _check_ranges(url: str) -> None:
    """Read a file whole and in parts, as any HTTP client may."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        offers = (await http.get("/v1/artifacts")).json()
        (offer,) = [each for each in offers if each["model"] == MODEL]
        path = f"/v1/artifacts/{offer['manifest']}"
        whole = await http.get(path)
        assert whole.json()["model"] == MODEL
        part = await http.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, whole.content[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
        for unknown in ("0" * 64, "..%2fmanifest.json", "x"):
            assert (await http.get(f"/v1/artifacts/{unknown}")).status_code == 404
