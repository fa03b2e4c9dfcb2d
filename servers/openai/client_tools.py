"""The tools of a request, which a chat model may choose to call; the client carries the calls out.

What the tools here can answer is planned and answered as without them. The chat model is asked
where that cannot help: nothing was run, a result of the client's tools came in, or the request
demands a call.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from edgewright.agents.llm.client import MAX_ANSWER_TOKENS, ChatModel
from edgewright.agents.llm.tool_calls import ToolAnswer, ToolQuestion, ask_with_tools
from edgewright.graphs.assistant.messages import text_of
from edgewright.servers.openai.errors import RequestError
from edgewright.servers.openai.replies import Answer, Json
from edgewright.servers.openai.requests import ChatRequest, Message
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.settings import ChatModelSettings

#: Stands for the images of a message without words, which the chat model does not get.
_IMAGE = "(an image)"
_PASSED_ON = "passed_on"


class ClientTools:
    """The tools of one request.

    Args:
        request: The request.
        chat: The chat model, if one is configured.

    Attributes:
        come_first: Whether the chat model is asked instead of the planner.

    Raises:
        RequestError: A call is demanded, and there is no chat model to choose it or no tool, or
            ``tool_choice`` has another value than OpenAI's.
    """

    def __init__(self, request: ChatRequest, chat: ChatModelSettings) -> None:
        self._request = request
        self._chat = chat
        choice = request.tool_choice
        demanded = choice not in (None, "auto", "none")
        if demanded and not chat.configured:
            raise RequestError(
                "without a chat model the tools of a request are not called; leave out "
                "'tool_choice', or set it to 'auto'",
                param="tool_choice",
                code="unsupported",
            )
        if demanded and not request.tools:
            raise RequestError("there are no tools to choose from; send 'tools'", param="tools")
        if demanded and not isinstance(choice, dict) and choice != "required":
            raise RequestError(
                "it is not 'auto', 'none', 'required' or the name of a tool", param="tool_choice"
            )
        answered = request.messages[-1].role == "tool"
        self.come_first = chat.configured and (answered or demanded)

    async def answer(self) -> Answer:
        """Return what the chat model says next.

        Raises:
            EdgewrightError: It is down or slow, refused or answered nonsense.
        """
        said = await self._ask()
        finish = "length" if said.cut else "stop"
        extension = {"status": _PASSED_ON}
        return Answer(content=said.text, calls=said.calls, finish=finish, extension=extension)

    async def instead_of(self, answer: Answer) -> Answer:
        """Return the calls that the chat model chooses, or an answer for which nothing was run.

        Args:
            answer: The answer; it stays if the chat model chooses none, or cannot be asked.
        """
        if not self._chat.configured or not self._request.tools:
            return answer
        if self._request.tool_choice == "none":
            return answer
        try:
            said = await self._ask()
        except EdgewrightError as error:
            reason = f"The chat model was not used: {error.message}."
            return replace(answer, extension={**answer.extension, "tools": reason})
        if not said.calls:
            return answer
        extension = {**answer.extension, "status": _PASSED_ON}
        return replace(
            answer, content=said.text, calls=said.calls, finish="stop", extension=extension
        )

    async def _ask(self) -> ToolAnswer:
        request = self._request
        options: Json = {}
        if request.tools and request.tool_choice is not None:
            options["tool_choice"] = request.tool_choice
        if request.tools and request.parallel_tool_calls is not None:
            options["parallel_tool_calls"] = request.parallel_tool_calls
        if request.response_format is not None:
            form = request.response_format.model_dump(by_alias=True, exclude_none=True)
            options["response_format"] = form
        question = ToolQuestion(
            messages=[_message(each) for each in request.messages if each.role != "function"],
            tools=request.tools or (),
            options=options,
            most_tokens=request.most_tokens or MAX_ANSWER_TOKENS,
        )
        return await asyncio.to_thread(ask_with_tools, ChatModel(self._chat), question)


def _message(message: Message) -> Json:
    """Return a message as the chat model gets it: its words, and no image."""
    # Not all local models know developers.
    role = "system" if message.role == "developer" else message.role
    text = text_of(message.content)
    passed: Json = {"role": role, "content": text or (_IMAGE if role == "user" else "")}
    if message.tool_calls:
        passed["tool_calls"] = message.tool_calls
    if message.role == "tool":
        passed["tool_call_id"] = message.tool_call_id or ""
    return passed
