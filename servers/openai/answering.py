"""From a request of OpenAI's API to an answer of the session."""

from __future__ import annotations

from edgewright.agents.planner.request import Turn
from edgewright.edge_runtime.keys import Caller
from edgewright.graphs.assistant.history import LATEST
from edgewright.graphs.assistant.messages import store_attachments, text_of
from edgewright.servers.front import Front
from edgewright.servers.openai.chores import chore_answer
from edgewright.servers.openai.client_tools import ClientTools
from edgewright.servers.openai.errors import UnknownModelError
from edgewright.servers.openai.memory import Conversation, Memory
from edgewright.servers.openai.reading import Asked, Exchange, read_conversation
from edgewright.servers.openai.replies import MODEL, Answer, answer_of
from edgewright.servers.openai.requests import ChatRequest
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import EdgewrightError


class Question:
    """A request that was read and can be answered.

    Args:
        request: The request.
        front: The front that answers it.
        memory: The turns of conversations.
        caller: The caller.

    Raises:
        UnknownModelError: No such model.
        RequestError: It demands a call of its tools, and nothing can choose one.
        InputError: The conversation cannot be read.
    """

    def __init__(self, request: ChatRequest, front: Front, memory: Memory, caller: Caller) -> None:
        check_model(request.model)
        chat = front.session.services.chat
        self._tools = ClientTools(request, chat)
        self._request = request
        self._front = front
        self._memory = memory
        self._caller = caller
        # A chore is the last message; some clients give one as a system message alone.
        persons = [each for each in request.messages if each.role == "user"]
        self._chore = chore_answer(text_of((persons or request.messages)[-1].content))
        self._asked: Asked | None = None
        if self._chore is None:
            self._asked = read_conversation(request.messages, follows_prompts=chat.configured)

    async def answer(self) -> Answer:
        """Answer it.

        Raises:
            EdgewrightError: An image cannot be used, or the session cannot answer.
        """
        if self._asked is None:
            return Answer(content=self._chore or "", extension={"status": "answered"})
        asked, images = self._asked, self._front.session.services.images
        attached = await store_attachments(asked.attachments, images)
        conversation = Conversation(self._caller.name, self._request.messages)
        earlier = self._memory.recall(conversation.answered)
        if earlier is None:
            earlier = tuple([await self._turn(each) for each in asked.earlier[-LATEST:]])
        if self._tools.come_first:
            answer = await self._tools.answer()
            about = tuple(attached)
            turn = Turn(request=asked.text, images=about, about=about, answer=answer.content)
        else:
            reply = await self._front.ask(
                asked.text, caller=self._caller, images=attached, earlier=earlier
            )
            answer, turn = answer_of(reply, self._request, prompt=asked.prompt), reply.turn
            if reply.status != "answered":
                answer = await self._tools.instead_of(answer)
        # A request is not answered before the client has carried out the calls.
        turns = earlier if answer.calls else (*earlier, turn)[-LATEST:]
        self._memory.keep(conversation.key_with(answer.content), turns)
        return answer

    async def _turn(self, exchange: Exchange) -> Turn:
        """Return an earlier turn as far as the client's words tell it."""
        images: list[ImageRef] = []
        try:
            store = self._front.session.services.images
            images = await store_attachments(exchange.content.attachments, store)
        except EdgewrightError:
            pass  # its words remain
        return Turn(
            request=exchange.content.text,
            images=tuple(images),
            about=tuple(images),
            answer=exchange.answer,
        )


def check_model(name: str) -> None:
    """Check that there is a model of a name.

    Raises:
        UnknownModelError: There is none.
    """
    if name != MODEL:
        raise UnknownModelError(
            f"there is no model {name[:100]!r}; the model is {MODEL!r}", param="model"
        )
