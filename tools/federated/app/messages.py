"""Flower messages between server and clients: instructions, models and encoded updates."""

from __future__ import annotations

import numpy as np
from flwr.app import (
    Array,
    ArrayRecord,
    Message,
    MetricRecord,
    RecordDict,
)
from numpy.typing import NDArray

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.guard import ClientReply, error_text
from edgewright.tools.federated.app.instruction import TrainInstruction
from edgewright.tools.federated.app.learner import LocalResult
from edgewright.tools.federated.app.weights import Arrays

#: Serialisation type in Flower's records for raw bytes, which are not in NumPy's file format.
_STYPE = "edgewright.raw"
#: Records of an instruction, and keys in them.
_ARRAYS, _CONFIG, _CONTROL, _NUMBER, _ADMITTED = (
    "arrays", "config", "control", "server-round", "admitted",
)  # fmt: skip


def arrays_record(arrays: Arrays) -> ArrayRecord:
    """Return tensors in the form that is sent to clients."""
    return ArrayRecord({name: _pack(value) for name, value in arrays.items()})


def add_control(content: RecordDict, control: Arrays, admitted: list[int]) -> None:
    """Add to an instruction what clients need to correct their gradients.

    Args:
        content: The instruction.
        control: The server's control variate; empty if the strategy has none.
        admitted: The round in which each client's update was last admitted; 0 for none.
    """
    content[_CONTROL] = arrays_record(control)
    content.config_records[_CONFIG][_ADMITTED] = admitted


def read_instruction(message: Message) -> TrainInstruction:
    """Read the server's instruction from a Flower message."""
    config = message.content.config_records[_CONFIG]
    number, listed = config[_NUMBER], config.get(_ADMITTED, [])
    if not isinstance(number, int):
        raise InputError("the instruction has no round number", code="bad_order")
    admitted = (
        [each for each in listed if isinstance(each, int)] if isinstance(listed, list) else []
    )
    if admitted != listed:
        raise InputError("the instruction has invalid numbers of rounds", code="bad_order")
    records = message.content.array_records
    return TrainInstruction(
        arrays=_unpacked(records[_ARRAYS]),
        round_number=number,
        control=_unpacked(records.get(_CONTROL, ArrayRecord())),
        admitted=tuple(admitted),
    )


def _pack(values: NDArray[np.float32]) -> Array:
    """Pack an array into a record as raw bytes; Flower's default embeds a NumPy file."""
    return Array(dtype="float32", shape=values.shape, stype=_STYPE, data=values.tobytes())


def _unpacked(record: ArrayRecord) -> Arrays:
    return {
        name: np.frombuffer(array.data, dtype=np.float32).reshape(array.shape)
        for name, array in record.items()
    }


def reply_content(result: LocalResult, client: int) -> RecordDict:
    """Pack a client's result into Flower records."""
    size = len(result.payload)
    update = Array(dtype="uint8", shape=(size,), stype=_STYPE, data=result.payload)
    metrics = MetricRecord(
        {
            "num-examples": result.samples,
            "partition-id": client,
            "loss": result.loss,
            "accuracy": result.accuracy,
        }
    )
    return RecordDict({"arrays": ArrayRecord({"update": update}), "metrics": metrics})


def read_reply(message: Message) -> ClientReply:
    """Read a reply from a Flower message, without trusting any of it."""
    if message.has_error():
        return ClientReply(error=error_text(message.error.reason or "no reason given"))
    metrics = next(iter(message.content.metric_records.values()), MetricRecord())
    arrays = next(iter(message.content.array_records.values()), ArrayRecord())
    update = arrays.get("update")
    return ClientReply(
        client=metrics.get("partition-id"),
        samples=metrics.get("num-examples"),
        payload=update.data if update is not None else None,
        loss=metrics.get("loss"),
        accuracy=metrics.get("accuracy"),
    )
