"""What enters the graph: a message's images go to the store before anything is checkpointed.

LangGraph writes a run's input to the first checkpoint before any step runs, so the bytes of an
image must be gone by then, those of a refused one included.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateUpdate

from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.messages import (
    check_request,
    default_question,
    read_content,
    store_attachments,
    text_of,
)
from edgewright.graphs.assistant.state import AssistantInput, AssistantState
from edgewright.graphs.services.local import image_store
from edgewright.tools.images.store import ImageStore


async def take_turn(turn: Mapping[str, Any], images: ImageStore) -> dict[str, Any]:
    """Return the input of a turn with its words alone, and references to its images.

    Args:
        turn: ``AssistantInput``; messages may have any form that LangGraph accepts, and their
            content any form that chat clients send.
        images: The store.

    Raises:
        InputError: The text is missing or too long, or an attachment is not an image.
    """
    messages = _messages(turn.get("messages"))
    earlier, last = messages[:-1], messages[-1] if messages else None
    attached = list(turn.get("attachments") or [])
    if not isinstance(last, HumanMessage):
        check_request("")
        raise AssertionError("an empty request is refused")
    content = read_content(last.content)
    names = len(attached) + len(content.attachments)
    text = content.text or (default_question(names) if names else "")
    check_request(text)
    stored = await store_attachments(content.attachments, images)
    return {
        **turn,
        "messages": [*map(_words_alone, earlier), HumanMessage(text, id=last.id)],
        "attachments": [*attached, *(image.model_dump(mode="json") for image in stored)],
    }


def _messages(given: Any) -> list[AnyMessage]:
    if not given:
        return []
    several = isinstance(given, Sequence) and not isinstance(given, str | tuple)
    converted: list[Any] = convert_to_messages(given if several else [given])
    return converted


def _words_alone(message: AnyMessage) -> AnyMessage:
    """Return a message whose content is its text; only the last message of a turn is read."""
    if isinstance(message.content, str):
        return message
    return message.model_copy(update={"content": text_of(message.content)})


def _without_bytes(values: Any) -> Any:
    """Return an update of the state with the words of its messages alone."""
    if not isinstance(values, Mapping) or "messages" not in values:
        return values
    return {**values, "messages": [*map(_words_alone, _messages(values["messages"]))]}


class IntakeGraph(CompiledStateGraph[Any, Any, Any, Any]):
    """The compiled graph of the assistant, which takes a turn in before it runs."""

    async def astream(
        self,
        input: Any,  # noqa: A002 - LangGraph's name
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """Stream a run; see ``Pregel.astream``.

        Raises:
            InputError: As for ``take_turn``; nothing of the turn is kept then.
        """
        if isinstance(input, Command):
            input = replace(input, update=_without_bytes(input.update))  # noqa: A001
        elif isinstance(input, Mapping):
            own = isinstance(context, AssistantContext) and context.services
            input = await take_turn(input, own.images if own else image_store())  # noqa: A001
        async for part in super().astream(input, config, context=context, **options):
            yield part

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Update the state of a thread; see ``Pregel.abulk_update_state``."""
        clean = [
            [each._replace(values=_without_bytes(each.values)) for each in step]
            for step in supersteps
        ]
        return await super().abulk_update_state(config, clean)


class IntakeBuilder(StateGraph[AssistantState, AssistantContext, AssistantInput, AssistantState]):
    """A builder whose graphs take turns in."""

    def compile(self, *arguments: Any, **options: Any) -> IntakeGraph:
        """Compile the graph; see ``StateGraph.compile``."""
        compiled = super().compile(*arguments, **options)
        graph = IntakeGraph(**vars(compiled.copy()))
        graph._serde_allowlist = compiled._serde_allowlist
        return graph
