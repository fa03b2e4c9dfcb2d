"""The chat-model coder.

An answer is validated here against the bounds of a candidate, with one repair round; its code is
checked and run elsewhere, and only in the sandbox. If the answer is still invalid, the endpoint is
down, a refused design comes again, or three repairs of failing code did not help, the fallback
coder takes over and the note of the proposal says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from edgewright.agents.fl_coder.prefix import prefix, prompt, request_message
from edgewright.agents.fl_coder.protocol import (
    Attempt,
    Coder,
    DesignChoice,
    Proposal,
    TrainingProblem,
    same,
    trailing_complaints,
)
from edgewright.agents.llm.client import ChatModel, Message
from edgewright.agents.llm.structured import ask_validated, parse
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.federated.records.candidate import Candidate

#: Maximum number of repairs of failing code before the fallback coder takes over.
MAX_REPAIRS = 3


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    candidate: Candidate
    choices: tuple[DesignChoice, ...] = Field(default=(), max_length=20)


class ChatCoder:
    """Proposes candidates with an OpenAI-compatible chat model; implements ``Coder``.

    Args:
        model: The chat model.
        fallback: The coder to use when the chat model fails.
    """

    def __init__(self, model: ChatModel, fallback: Coder) -> None:
        self._model = model
        self._fallback = fallback
        self._schema = answer_schema()

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next. Neither a failing endpoint nor a bad answer raises."""
        if any(attempt.proposal.note for attempt in attempts):
            # The fallback coder took over earlier in this run; it continues its own search.
            return self._fallback.propose(problem, attempts)
        if trailing_complaints(attempts, "chat-model") > MAX_REPAIRS:
            fault = attempts[-1].complaints[0]
            why = f"its code failed {MAX_REPAIRS + 1} times in a row, last with: {fault.message}"
            return self._fall_back(problem, attempts, why)
        try:
            proposal = self._ask(problem, attempts)
        except EdgewrightError as error:
            return self._fall_back(problem, attempts, error.message)
        for attempt in attempts:
            if attempt.complaints and same(proposal.candidate, attempt.proposal.candidate):
                fault = attempt.complaints[0]
                why = f"it proposed a refused design again, which had failed with: {fault.message}"
                return self._fall_back(problem, attempts, why)
        return proposal

    def _fall_back(
        self, problem: TrainingProblem, attempts: Sequence[Attempt], why: str
    ) -> Proposal:
        proposal = self._fallback.propose(problem, attempts)
        note = f"The chat model was not used: {why}. {proposal.note}".strip()
        return proposal.model_copy(update={"note": note[:1000]})

    def _ask(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Ask the model, with one repair round if its first answer is invalid."""
        messages = [
            Message(role="system", content=prefix(problem, self._schema)),
            Message(role="user", content=request_message(problem, attempts)),
        ]
        return ask_validated(
            self._model,
            messages,
            self._schema,
            _proposal,
            repair=lambda complaint: prompt("repair", error=complaint),
        )


def answer_schema() -> dict[str, Any]:
    """Return the schema of the model's answer."""
    return _Answer.model_json_schema()


def _proposal(answer: dict[str, Any]) -> Proposal:
    """Turn the model's answer into a proposal, or raise what is wrong with it."""
    parsed = parse(_Answer, answer)
    return Proposal(candidate=parsed.candidate, choices=parsed.choices, coder="chat-model")
