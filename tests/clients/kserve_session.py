"""Sessions of kserve's client over HTTP and gRPC; run in the clients' own environment."""

import asyncio
import sys
from pathlib import Path

import numpy as np
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)

MODEL = "efficientnet-lite0"
SHAPE = [1, 3, 224, 224]


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
    """Save what both return, given a node's URL, its gRPC address and a folder."""
    url, address, folder = sys.argv[1:]
    values = np.load(Path(folder) / "values.npy")
    one = asyncio.run(with_kserve(url, values))
    other = asyncio.run(with_kserve_grpc(address, values))
    np.save(Path(folder) / "kserve.npy", np.stack([np.ravel(one), np.ravel(other)]))


if __name__ == "__main__":
    main()
