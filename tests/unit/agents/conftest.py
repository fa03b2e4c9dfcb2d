"""Fixtures shared by the tests of all agents."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from edgewright.agents.llm.client import ChatModel, Message
from edgewright.tools.settings import ChatModelSettings


class ScriptedChatModel(ChatModel):
    """Returns prepared answers, or raises prepared errors, in turn; records the conversations."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        super().__init__(ChatModelSettings(model="scripted", timeout_s=5))
        self.answers = list(answers)
        self.conversations: list[list[Message]] = []

    def ask(
        self, messages: Sequence[Message], schema: dict[str, Any], *, deadline: float
    ) -> dict[str, Any]:
        assert deadline > time.monotonic()
        self.conversations.append(list(messages))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def scripted() -> type[ScriptedChatModel]:
    return ScriptedChatModel
