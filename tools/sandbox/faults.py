"""Faults: why a sandboxed program gave no result, or what is wrong with its code."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FaultCode = Literal[
    "syntax",  # the slot's source does not parse
    "forbidden",  # a construct or an import that is not on the allow-list
    "signature",  # the slot's function is missing or takes other parameters
    "raised",  # the slot's code raised; the message has the exception and the line
    "shape",  # the code ran and returned something of a wrong type or shape
    "not_finite",  # the loss or the weights became NaN or infinite
    "not_learning",  # the optimiser changed no weight in a step
    "too_large",  # the model has more weights than the limit
    "quorum",  # the strategy cannot work with this number of clients
    "privacy_budget",  # not even one round fits into epsilon
    "no_head",  # a personal head was asked for, and the model has no linear layer
    "timeout",  # the time limit passed
    "memory",  # the memory limit was reached
    "disk",  # more was written than the limit allows
    "killed",  # the process ended without a result
    "bad_result",  # what came out of the sandbox did not pass its checks
    "no_quorum",  # no round had enough usable replies
]


class Fault(BaseModel):
    """What is wrong with a candidate, so that a coder can mend it.

    Attributes:
        code: What kind of fault.
        message: One or two sentences: what is wrong and what mends it. Text from inside the
            sandbox in it is quoted, cut and to be taken as data.
        slot: The slot at fault; empty when it is none of them alone.
        line: Line within the slot's source, counted from 1; 0 if none.
    """

    model_config = ConfigDict(frozen=True)

    code: FaultCode
    message: str = Field(max_length=2000)
    slot: str = Field(default="", max_length=40)
    line: int = 0
