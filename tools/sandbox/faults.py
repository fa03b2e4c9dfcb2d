"""Faults: what is wrong with generated code, or why a sandboxed program gave no result."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FaultCode = Literal[
    "syntax",  # the slot's source does not parse
    "forbidden",  # a construct or an import is not on the allow-list
    "signature",  # the slot's function is missing or has other parameters
    "raised",  # the slot's code raised an exception; the message contains it and the line
    "shape",  # the code returned a value of the wrong type or shape
    "not_finite",  # the loss or the weights became NaN or infinite
    "not_learning",  # an optimiser step changed no weight
    "too_large",  # the model has more weights than the limit
    "quorum",  # the strategy does not work with this number of clients
    "conflict",  # the strategy does not work together with another value
    "privacy_budget",  # epsilon does not allow a single round
    "promise",  # a value contradicts what the person said
    "no_head",  # a personal head was requested, but the model has no linear layer
    "timeout",  # the time limit was exceeded
    "memory",  # the memory limit was exceeded
    "disk",  # the disk limit was exceeded
    "killed",  # the process exited without a result
    "bad_result",  # the sandbox's output failed validation
    "no_quorum",  # no round had enough usable replies
]


class Fault(BaseModel):
    """A fault in a candidate, for a coder to fix.

    Attributes:
        code: Kind of fault.
        message: One or two sentences: what is wrong and how to fix it. Text from inside the sandbox
            is quoted, truncated and to be treated as data.
        slot: The slot at fault; empty if it is not a single slot.
        line: Line in the slot's source, counted from 1; 0 if unknown.
    """

    model_config = ConfigDict(frozen=True)

    code: FaultCode
    message: str = Field(max_length=2000)
    slot: str = Field(default="", max_length=40)
    line: int = Field(default=0, ge=0, lt=100_000)
