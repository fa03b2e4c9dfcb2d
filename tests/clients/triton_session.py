"""Sessions of tritonclient over HTTP and gRPC; run in the clients' own environment.

kserve's client has a script of its own: both define the protocol's messages, which one process can
hold only once.
"""

import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton
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

    classes = triton.InferRequestedOutput("output", class_count=3)
    for reason, model, options in (
        ("no model 'none'", "none", {}),
        ("no extension for 'classification'", MODEL, {"outputs": [classes]}),
        ("compressed", MODEL, {"request_compression_algorithm": "gzip"}),
    ):
        try:
            client.infer(model, [tensor], **options)
        except InferenceServerException as error:
            assert reason in error.message(), error
        else:
            raise AssertionError(f"{reason}: it was served")
    client.close()
    return outputs[0]


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


def main() -> None:
    """Save what both return, given a node's URL, its gRPC address, an image and a folder."""
    url, address, file, folder = sys.argv[1:]
    image = Path(file).read_bytes()
    values = np.load(Path(folder) / "values.npy")
    one = with_triton(url.removeprefix("http://"), image, values)
    other = with_triton_grpc(address, image, values)
    np.save(Path(folder) / "triton.npy", np.stack([one.ravel(), other.ravel()]))


if __name__ == "__main__":
    main()
