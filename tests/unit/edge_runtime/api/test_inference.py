"""The Open Inference Protocol: tensors as JSON and as bytes, versions, and what is refused."""

import base64
import json
import struct

import numpy as np
import pytest

from edgewright.edge_runtime.api.open_inference import model_view
from edgewright.edge_runtime.workers.generation import GenerationOperations
from edgewright.edge_runtime.workers.perception import PerceptionOperations
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.images.decode import decode

MODEL = "/v2/models/efficientnet-lite0"
INFER = f"{MODEL}/infer"
LENGTH = "inference-header-content-length"


@pytest.fixture
def http(make_app, connect):
    return connect(make_app())


def image_input(*images):
    data = [base64.b64encode(image).decode() for image in images]
    return {"name": "image", "shape": [len(images)], "datatype": "BYTES", "data": data}


async def test_the_server_and_a_model_describe_themselves(http):
    server = (await http.get("/v2")).json()
    assert (server["name"], server["extensions"]) == ("edgewright", ["binary_tensor_data"])
    model = (await http.get(MODEL)).json()
    assert model["inputs"] == [
        {"name": "image", "datatype": "BYTES", "shape": [-1]},
        {"name": "input", "datatype": "FP32", "shape": [-1, 3, 224, 224]},
    ]
    assert model["outputs"] == [{"name": "output", "datatype": "FP32", "shape": [-1, 1000]}]
    (version,) = model["versions"]
    assert (await http.get(f"{MODEL}/versions/{version}")).json() == model
    assert (await http.get(f"{MODEL}/ready")).json()["ready"] is True
    assert (await http.get(f"{MODEL}/versions/{version}/ready")).is_success
    missing = await http.get(f"{MODEL}/versions/9/ready")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_version")
    assert missing.json()["error"] == missing.json()["detail"]


async def test_images_and_tensors_give_the_same_output_as_json_and_as_bytes(http, cat, operations):
    body = {"id": "7", "inputs": [image_input(cat, cat)]}
    reply = (await http.post(INFER, json=body)).json()
    assert reply["id"] == "7"
    assert reply["model_version"] == operations.describe()["revision"]
    (output,) = reply["outputs"]
    assert output["shape"] == [2, 1000]
    values = np.float32(output["data"]).reshape(2, 1000)
    assert 280 < values[0].argmax() < 290  # one of the cats
    np.testing.assert_array_equal(values[0], values[1])

    adapter = operations._adapter
    features = adapter.array(adapter.preprocess(decode(cat)))
    raw = features.astype("<f4").tobytes()
    tensor = {"name": "input", "shape": [1, 3, 224, 224], "datatype": "FP32"}
    as_bytes = {**tensor, "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [as_bytes], "parameters": {"binary_data_output": True}}).encode()
    response = await http.post(INFER, content=head + raw, headers={LENGTH: str(len(head))})
    split = int(response.headers[LENGTH])
    (described,) = json.loads(response.content[:split])["outputs"]
    assert described["parameters"]["binary_data_size"] == 4000
    received = np.frombuffer(response.content[split:], "<f4")
    np.testing.assert_allclose(received, values[0], atol=1e-5)

    as_json = {**tensor, "data": features.tolist()}
    output = (await http.post(INFER, json={"inputs": [as_json]})).json()["outputs"][0]
    np.testing.assert_allclose(np.float32(output["data"]), values[0], atol=1e-5)

    element = struct.pack("<I", len(cat)) + cat
    given = {"name": "image", "shape": [1], "datatype": "BYTES"}
    given["parameters"] = {"binary_data_size": len(element)}
    head = json.dumps({"inputs": [given], "outputs": [{"name": "output"}]}).encode()
    response = await http.post(INFER, content=head + element, headers={LENGTH: str(len(head))})
    np.testing.assert_array_equal(np.float32(response.json()["outputs"][0]["data"]), values[0])


TENSOR = {"name": "input", "shape": [1, 3, 224, 224], "datatype": "FP32"}


#: Extensions of Triton's that would change what a response holds.
CLASSES = {"name": "output", "parameters": {"classification": 3}}
SHARED = {"shared_memory_region": "region", "shared_memory_byte_size": 602_112}


@pytest.mark.parametrize(
    ("inputs", "more", "status", "code"),
    [
        ([], {}, 422, "invalid_body"),
        ([{"name": "input", "shape": [1], "datatype": "INT64", "data": [1]}], {}, 422, None),
        ([{**TENSOR, "data": [1.0]}], {}, 422, "invalid_body"),
        ([{**TENSOR, "shape": [1, 3, 8, 8], "data": [1.0]}], {}, 422, "invalid_body"),
        ([{**TENSOR, "shape": [-1, 3, 224, 224], "data": []}], {}, 422, "invalid_body"),
        ([{**TENSOR, "data": [["a"]]}], {}, 422, "invalid_body"),
        ([TENSOR], {}, 422, "invalid_body"),
        ([{**TENSOR, "name": "other", "data": [1]}], {}, 422, "invalid_body"),
        ([image_input(b"hello")], {}, 422, "not_an_image"),
        ([{**image_input(b""), "data": ["%"]}], {}, 422, "invalid_body"),
        ([{**image_input(b""), "data": [1]}], {}, 422, "invalid_body"),
        ([{**image_input(b"a"), "shape": [2]}], {}, 422, "invalid_body"),
        ([image_input(b"a")], {"outputs": [{"name": "labels"}]}, 422, "invalid_body"),
        ([image_input(b"a")], {"outputs": [CLASSES]}, 422, "invalid_body"),
        ([{**TENSOR, "parameters": SHARED}], {}, 422, "invalid_body"),
        ([image_input(b"a")], {"outputs": [{"name": "output", "parameters": SHARED}]}, 422, None),
    ],
)
async def test_what_does_not_match_is_refused(http, inputs, more, status, code):
    response = await http.post(INFER, json={"inputs": inputs, **more})
    assert response.status_code == status
    assert code in (None, response.json()["code"])
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("body", "length"),
    [(b"{}", "9"), (b"{}", "9" * 5000), (b"{}", "x"), (b"{", "1"), (b"", None), (b"\xff\xfe", "2")],
)
async def test_a_body_that_cannot_be_split_is_refused(http, body, length):
    headers = {} if length is None else {LENGTH: length}
    response = await http.post(INFER, content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_body")


async def test_a_bytes_tensor_that_claims_too_much_is_refused(http):
    for data in (b"\xff\xff\xff\xff", b"\x01", struct.pack("<I", 5) + b"abc"):
        given = {"name": "image", "shape": [1], "datatype": "BYTES"}
        given["parameters"] = {"binary_data_size": len(data)}
        head = json.dumps({"inputs": [given]}).encode()
        response = await http.post(INFER, content=head + data, headers={LENGTH: str(len(head))})
        assert (response.status_code, response.json()["code"]) == (422, "invalid_body")


@pytest.mark.parametrize(
    ("model", "operations"),
    [("perception", PerceptionOperations), ("drawing", GenerationOperations)],
)
async def test_workers_without_common_tensors_are_listed(model, operations):
    settings = WorkerSettings(model=model)
    worker = ModelWorker(settings)
    assert model_view(worker).versions == []
    worker.description = operations(settings).describe()
    view = model_view(worker)
    assert (view.inputs, view.outputs, view.partition_points) == ([], [], 1)
    assert view.platform.startswith("edgewright")
