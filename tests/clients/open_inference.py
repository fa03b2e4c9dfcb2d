"""A session of each client of the Open Inference Protocol; run in the clients' own environment."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)
from tritonclient.utils import InferenceServerException

MODEL = "efficientnet-lite0"
SHAPE = [1, 3, 224, 224]


def with_triton(host: str, image: bytes, values: np.ndarray) -> np.ndarray:
    """Ask with tritonclient; return the output for the tensor."""
    client = triton.InferenceServerClient(host)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(MODEL)
    assert metadata["inputs"][1] == {"name": "input", "datatype": "FP32", "shape": [-1, *SHAPE[1:]]}
    (version,) = metadata["versions"]
    assert client.is_model_ready(MODEL, version)

    outputs = []
    for binary in (True, False):
        tensor = triton.InferInput("input", SHAPE, "FP32")
        tensor.set_data_from_numpy(values, binary_data=binary)
        wanted = triton.InferRequestedOutput("output", binary_data=binary)
        result = client.infer(MODEL, [tensor], outputs=[wanted], model_version=version)
        outputs.append(result.as_numpy("output"))
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-6)

    element = triton.InferInput("image", [1], "BYTES")
    element.set_data_from_numpy(np.array([image], dtype=np.object_))
    assert client.infer(MODEL, [element]).as_numpy("output").shape == (1, 1000)

    try:
        client.infer("none", [tensor])
    except InferenceServerException as error:
        assert "no model 'none'" in error.message(), error
    else:
        raise AssertionError("an unknown model was served")
    client.close()
    return outputs[0]


async def with_kserve(url: str, values: np.ndarray) -> np.ndarray:
    """Ask with kserve's client; return the output for the tensor."""
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, MODEL)
    tensor = InferInput("input", SHAPE, "FP32")
    tensor.set_data_from_numpy(values, binary_data=False)
    reply = await client.infer(url, InferRequest(MODEL, [tensor]), model_name=MODEL)
    return reply.outputs[0].as_numpy()


def with_triton_grpc(address: str, image: bytes, values: np.ndarray) -> np.ndarray:
    """Ask with tritonclient over gRPC; return the output for the tensor."""
    client = triton_grpc.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.get_server_metadata().name == "edgewright"
    metadata = client.get_model_metadata(MODEL)
    assert list(metadata.inputs[1].shape) == [-1, *SHAPE[1:]]
    (version,) = metadata.versions
    assert client.is_model_ready(MODEL, version)

    tensor = triton_grpc.InferInput("input", SHAPE, "FP32")
    tensor.set_data_from_numpy(values)
    wanted = triton_grpc.InferRequestedOutput("output")
    more = {"outputs": [wanted], "model_version": version, "request_id": "7"}
    result = client.infer(MODEL, [tensor], timeout=30_000_000, client_timeout=30, **more)
    assert result.get_response().id == "7"

    element = triton_grpc.InferInput("image", [1], "BYTES")
    element.set_data_from_numpy(np.array([image], dtype=np.object_))
    assert client.infer(MODEL, [element]).as_numpy("output").shape == (1, 1000)

    try:
        client.infer("none", [tensor])
    except InferenceServerException as error:
        assert error.status() == "StatusCode.NOT_FOUND", error
        assert "no model 'none'" in error.message(), error
    else:
        raise AssertionError("an unknown model was served")
    client.close()
    return result.as_numpy("output")


async def with_kserve_grpc(address: str, values: np.ndarray) -> np.ndarray:
    """Ask with kserve's client over gRPC; return the output for the tensor."""
    client = InferenceGRPCClient(address)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready(MODEL)
    tensor = InferInput("input", SHAPE, "FP32")
    tensor.set_data_from_numpy(values, binary_data=False)  # as typed contents
    reply = await client.infer(InferRequest(MODEL, [tensor]))
    return reply.outputs[0].as_numpy()


def main() -> None:
    """Compare the clients' outputs, given a node's URL, its gRPC address and an image's file."""
    url, address, file = sys.argv[1:]
    image = Path(file).read_bytes()
    values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    one = with_triton(url.removeprefix("http://"), image, values)
    other = asyncio.run(with_kserve(url, values))
    over_grpc = with_triton_grpc(address, image, values)
    typed = asyncio.run(with_kserve_grpc(address, values))
    for result in (other, over_grpc, typed):
        np.testing.assert_allclose(one.ravel(), np.asarray(result).ravel(), atol=1e-5)
    sys.stdout.write("ok\n")


if __name__ == "__main__":
    main()
