"""The messages of the Open Inference Protocol, made from a table when they are first needed.

Code that protoc generates has thousands of lines, fits one range of protobuf's versions, and needs
the compiler to build a wheel. The table needs protobuf alone. What matters on the wire is numbers
and types; names are those of the public protocol, so that errors and logs say what clients know.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"

#: The one type of a map's values; its fields exclude each other.
_PARAMETER = "InferParameter"
_REPEATED, _MAP = "repeated ", "map"
#: By message: its fields as ``number: (name, type)``; ``map`` is one from names to parameters.
_FIELDS: Mapping[str, Mapping[int, tuple[str, str]]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {1: ("live", "bool")},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {1: ("ready", "bool")},
    "ModelReadyRequest": {1: ("name", "string"), 2: ("version", "string")},
    "ModelReadyResponse": {1: ("ready", "bool")},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {
        1: ("name", "string"),
        2: ("version", "string"),
        3: ("extensions", "repeated string"),
    },
    "ModelMetadataRequest": {1: ("name", "string"), 2: ("version", "string")},
    "TensorMetadata": {
        1: ("name", "string"),
        2: ("datatype", "string"),
        3: ("shape", "repeated int64"),
    },
    "ModelMetadataResponse": {
        1: ("name", "string"),
        2: ("versions", "repeated string"),
        3: ("platform", "string"),
        4: ("inputs", "repeated TensorMetadata"),
        5: ("outputs", "repeated TensorMetadata"),
    },
    _PARAMETER: {
        1: ("bool_param", "bool"),
        2: ("int64_param", "int64"),
        3: ("string_param", "string"),
        4: ("double_param", "double"),
        5: ("uint64_param", "uint64"),
    },
    "InferTensorContents": {
        1: ("bool_contents", "repeated bool"),
        2: ("int_contents", "repeated int32"),
        3: ("int64_contents", "repeated int64"),
        4: ("uint_contents", "repeated uint32"),
        5: ("uint64_contents", "repeated uint64"),
        6: ("fp32_contents", "repeated float"),
        7: ("fp64_contents", "repeated double"),
        8: ("bytes_contents", "repeated bytes"),
    },
    "InferInputTensor": {
        1: ("name", "string"),
        2: ("datatype", "string"),
        3: ("shape", "repeated int64"),
        4: ("parameters", _MAP),
        5: ("contents", "InferTensorContents"),
    },
    "InferRequestedOutputTensor": {1: ("name", "string"), 2: ("parameters", _MAP)},
    "ModelInferRequest": {
        1: ("model_name", "string"),
        2: ("model_version", "string"),
        3: ("id", "string"),
        4: ("parameters", _MAP),
        5: ("inputs", "repeated InferInputTensor"),
        6: ("outputs", "repeated InferRequestedOutputTensor"),
        7: ("raw_input_contents", "repeated bytes"),
    },
    "InferOutputTensor": {
        1: ("name", "string"),
        2: ("datatype", "string"),
        3: ("shape", "repeated int64"),
        4: ("parameters", _MAP),
        5: ("contents", "InferTensorContents"),
    },
    "ModelInferResponse": {
        1: ("model_name", "string"),
        2: ("model_version", "string"),
        3: ("id", "string"),
        4: ("parameters", _MAP),
        5: ("outputs", "repeated InferOutputTensor"),
        6: ("raw_output_contents", "repeated bytes"),
    },
}


@cache
def message_classes() -> Mapping[str, Any]:
    """Return the classes of all messages by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="edgewright/open_inference.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in fields.items():
            _add_field(message, number, field, kind)
    # A pool of its own: a client's generated code may be in the same process under these names.
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in _FIELDS
    }


def _add_field(message: Any, number: int, name: str, kind: str) -> None:
    field = message.field.add(name=name, number=number)
    if kind == _MAP:  # on the wire, a repeated message of keys and values
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add_field(entry, 1, "key", "string")
        _add_field(entry, 2, "value", _PARAMETER)
        kind = f"{_REPEATED}{message.name}.{entry.name}"
    repeated = kind.startswith(_REPEATED)
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    kind = kind.removeprefix(_REPEATED)
    if kind[0].isupper():
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")
    if message.name == _PARAMETER:
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
