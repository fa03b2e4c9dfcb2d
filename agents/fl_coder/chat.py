"""The chat-model coder: slots, data card and past curves go in, a candidate comes out.

What the model answers is checked against the candidate's bounds here; its code is checked and run
by others, in the sandbox alone. One re-ask tells it what was wrong with the form of an answer.
After that, when the endpoint is down, and after three repairs of code that failed, the fallback
coder takes over and the proposal's note says why.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.agents.fl_coder.prefix import prefix, prompt, request_message
from edgewright.agents.fl_coder.protocol import (
    Attempt,
    Coder,
    DesignChoice,
    Proposal,
    TrainingProblem,
    trailing_complaints,
)
from edgewright.agents.llm.client import ChatModel, Message, NonsenseError
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.federated.records.candidate import Candidate

#: Repairs of code that failed, before another coder takes over.
MAX_REPAIRS = 3
#: Longest answer that is told back to the model when it has to be repaired, in characters.
MAX_ANSWER = 8000


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    candidate: Candidate
    choices: tuple[DesignChoice, ...] = Field(default=(), max_length=20)


class _UnusableError(ValueError):
    """The answer breaks a bound; the message is for the model."""


class ChatCoder:
    """Proposes with an OpenAI-compatible chat model; implements ``Coder``.

    Args:
        model: The chat model.
        fallback: Who proposes when the model cannot.
    """

    def __init__(self, model: ChatModel, fallback: Coder) -> None:
        self._model = model
        self._fallback = fallback
        self._schema = answer_schema()

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next; never raises for what the endpoint or its answer is like."""
        if any(attempt.proposal.note for attempt in attempts):
            # It gave up once in this run; the other coder's line of thought is not broken off.
            return self._fallback.propose(problem, attempts)
        if trailing_complaints(attempts, "chat-model") > MAX_REPAIRS:
            fault = attempts[-1].complaints[0]
            why = f"its code failed {MAX_REPAIRS + 1} times in a row, last with: {fault.message}"
            return self._instead(problem, attempts, why)
        try:
            return self._ask(problem, attempts)
        except EdgewrightError as error:
            return self._instead(problem, attempts, error.message)
        except _UnusableError as error:
            return self._instead(problem, attempts, str(error))

    def _instead(self, problem: TrainingProblem, attempts: Sequence[Attempt], why: str) -> Proposal:
        proposal = self._fallback.propose(problem, attempts)
        note = f"The chat model was not used: {why}."
        return proposal.model_copy(update={"note": note[:1000]})

    def _ask(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Ask the model, once more if the form of its first answer is wrong."""
        deadline = time.monotonic() + self._model.settings.timeout_s
        messages = [
            Message(role="system", content=prefix(problem, self._schema)),
            Message(role="user", content=request_message(problem, attempts)),
        ]
        try:
            answer = self._model.ask(messages, self._schema, deadline=deadline)
            return _checked(answer)
        except NonsenseError as error:
            said, complaint = error.answer, error.message
        except _UnusableError as error:
            said, complaint = json.dumps(answer), str(error)
        messages += [
            Message(role="assistant", content=said[:MAX_ANSWER]),
            Message(role="user", content=prompt("repair", error=complaint)),
        ]
        return _checked(self._model.ask(messages, self._schema, deadline=deadline))


def answer_schema() -> dict[str, Any]:
    """Return the schema of the model's answer."""
    return _Answer.model_json_schema()


def _checked(answer: dict[str, Any]) -> Proposal:
    """Turn the model's answer into a proposal, or say what is wrong with it."""
    try:
        read = _Answer.model_validate(answer)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "answer"
        raise _UnusableError(f"its field {where!r} is wrong: {first['msg']}") from None
    return Proposal(candidate=read.candidate, choices=read.choices, coder="chat-model")
