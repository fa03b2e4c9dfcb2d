"""Calls of the Open Inference Protocol over gRPC, for tests of nodes."""

import grpc
import pytest

from edgewright.edge_runtime.grpc_api.messages import SERVICE, message_classes

MODEL = "efficientnet-lite0"
SHAPE = [1, 3, 224, 224]
#: A tensor of the model has 602 kB, and some 3 MB as JSON.
LIMITS = {"body_bytes": 4_000_000, "concurrency": 2, "upload_s": 5.0, "head_s": 2.0}
SETTINGS = {"name": "edge", "role": "edge", "port": 0, "grpc_port": 0, "measure": "never"}


async def call(node, method, *, metadata=None, timeout=30, channel=None, **fields):
    """Call a method; return its response, or the error's status, code and message."""
    classes = message_classes()
    async with channel or grpc.aio.insecure_channel(node.grpc) as open_channel:
        stub = open_channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=classes[f"{method}Response"].FromString,
        )
        request = classes[f"{method}Request"](**fields)
        return await stub(request, metadata=metadata, timeout=timeout)


async def refused(node, method, **more):
    """Return the status and the error's code of a call that is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(node, method, **more)
    trailers = dict(list(raised.value.trailing_metadata() or ()))
    return raised.value.code().name, trailers.get("edgewright-code")


def bearer(key):
    return (("authorization", f"Bearer {key}"),)


def inference(values, **more):
    tensor = {"name": "input", "datatype": "FP32", "shape": list(values.shape)}
    raw = [values.astype("<f4").tobytes()]
    return {"model_name": MODEL, "inputs": [tensor], "raw_input_contents": raw, **more}
