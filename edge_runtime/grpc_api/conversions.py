"""Messages of gRPC to and from what they share with HTTP.

Values of either form become what HTTP's binary extension sends, so that one reader checks them all.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgewright.edge_runtime.api.bodies import validated
from edgewright.edge_runtime.api.open_inference import OUTPUT, Inferred
from edgewright.edge_runtime.api.tensors import BINARY_SIZE, InferenceRequest
from edgewright.edge_runtime.grpc_api.messages import message_classes
from edgewright.tools.contracts.views import ModelView
from edgewright.tools.errors import InputError

#: Where values of a type belong, if they are not raw.
_CONTENTS = {"BYTES": "bytes_contents", "FP32": "fp32_contents"}


def read_request(message: Any) -> tuple[InferenceRequest, bytes]:
    """Return a request for inference, and the values of its input.

    Args:
        message: A ``ModelInferRequest``.

    Returns:
        The request, and float32 values in little-endian order or elements with their lengths.

    Raises:
        InputError: A field is invalid, or values are not where they belong (``invalid_body``).
    """
    if len(message.inputs) != 1:
        raise _invalid(f"a request has exactly one input, not {len(message.inputs)}")
    given = message.inputs[0]
    binary = _values(given, message.raw_input_contents)
    tensor = {
        "name": given.name,
        "datatype": given.datatype,
        "shape": list(given.shape),
        "parameters": {**_parameters(given.parameters), BINARY_SIZE: len(binary)},
    }
    request = {
        "id": message.id,
        "parameters": _parameters(message.parameters),
        "inputs": [tensor],
        "outputs": [
            {"name": each.name, "parameters": _parameters(each.parameters)}
            for each in message.outputs
        ],
    }
    return validated(InferenceRequest, request, "body"), binary


def write_response(result: Inferred, identity: str, *, raw: bool) -> Any:
    """Return a ``ModelInferResponse``.

    Args:
        result: What the model returned.
        identity: The request's ``id``.
        raw: Whether the output is sent as bytes, as the input was, instead of as numbers.
    """
    reply = message_classes()["ModelInferResponse"](
        model_name=result.model, model_version=result.version, id=identity
    )
    tensor = reply.outputs.add(name=OUTPUT, datatype="FP32", shape=result.output.shape)
    if raw:
        reply.raw_output_contents.append(np.ascontiguousarray(result.output, "<f4").tobytes())
    else:
        tensor.contents.fp32_contents.extend(result.output.ravel().tolist())
    return reply


def write_model(view: ModelView) -> Any:
    """Return a ``ModelMetadataResponse``.

    Args:
        view: The model.
    """
    return message_classes()["ModelMetadataResponse"](
        name=view.name,
        versions=view.versions,
        platform=view.platform,
        inputs=view.inputs,
        outputs=view.outputs,
    )


def _values(given: Any, raw: Any) -> bytes:
    """Return the values of the input, from wherever they are."""
    filled = {field.name for field, _ in given.contents.ListFields()}
    if raw:
        if len(raw) > 1 or filled:
            raise _invalid(
                "raw_input_contents has one value for each input, whose own 'contents' are empty"
            )
        return bytes(raw[0])
    usual = _CONTENTS.get(given.datatype)
    if usual is None:  # such a type is refused with the other fields
        return b""
    if filled - {usual}:
        raise _invalid(f"values of {given.name[:100]!r} belong in raw_input_contents or {usual}")
    if usual == "fp32_contents":
        return np.asarray(given.contents.fp32_contents, "<f4").tobytes()
    elements = given.contents.bytes_contents
    return b"".join(part for each in elements for part in (struct.pack("<I", len(each)), each))


def _parameters(given: Any) -> Mapping[str, Any]:
    chosen = {name: value.WhichOneof("parameter_choice") for name, value in given.items()}
    return {name: getattr(given[name], field) for name, field in chosen.items() if field}


def _invalid(reason: str) -> InputError:
    return InputError(f"{reason}; correct the request", code="invalid_body")
