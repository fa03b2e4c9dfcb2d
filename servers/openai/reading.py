"""Reading a conversation: the request, its images, and the turns before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.graphs.assistant.messages import (
    MAX_REQUEST_CHARACTERS,
    Attachment,
    Content,
    check_request,
    default_question,
    read_content,
    text_of,
)
from edgewright.servers.openai.errors import RequestError
from edgewright.servers.openai.requests import Message
from edgewright.tools.errors import InputError

Block = dict[str, Any] | str

#: A text before an image that only counts it, such as "Image 1:" or "Frame 3 (2.0 s)".
_COUNT = re.compile(
    r"(image|img|frame|picture|photo|snapshot|file)\s*#?\d+\b.{0,60}", re.IGNORECASE
)
#: Maximum length of a name with a colon before an image, such as "front door.jpg:".
_MAX_TAG = 100
#: A text that is written for a language model and not by a person: its length, and its wording.
_PROMPT_CHARACTERS = 160
_LONG_PROMPT_CHARACTERS = 800
_PROMPT = re.compile(
    r"^\s*(#|analy[sz]e\b|your task|you are\b|act as\b)|\b(focus on|respond with|output format|"
    r"do not include|rather than describing|based on the provided)\b",
    re.IGNORECASE,
)
#: A person's words inside a prompt with documents, as Open WebUI writes it.
_WRAPPED = re.compile(
    r"\s*#+\s*Task:.*(<user_query>(?P<marked>.*?)</user_query>|</context>(?P<after>.*))",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An earlier request with its answer."""

    content: Content
    answer: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a conversation asks now.

    Attributes:
        text: The request.
        attachments: Its images.
        earlier: The exchanges before it, oldest first.
        prompt: The text that ``text`` stands for, if that was written for a language model: its
            instructions are not followed, its images are described. Empty otherwise.
    """

    text: str
    attachments: tuple[Attachment, ...]
    earlier: tuple[Exchange, ...]
    prompt: str = ""


def read_conversation(messages: Sequence[Message], *, follows_prompts: bool) -> Asked:
    """Read a conversation.

    What systems, developers and tools say is left out: nothing but the person's words is planned.

    Args:
        messages: The messages, oldest first.
        follows_prompts: Whether a language model plans, which can follow long prompts.

    Raises:
        RequestError: The last message is not the user's.
        InputError: Its text is missing or too long, or an attachment is no image.
    """
    *earlier, (blocks, answer) = _exchanges(messages) or [([], "")]
    if answer or not blocks:
        raise RequestError("the last message must be the user's; add one", param="messages")
    content = read_content(list(_named(blocks)))
    text, prompt = _unwrapped(content.text)
    if content.attachments:
        question = default_question(len(content.attachments))
        if not text:
            text = question
        elif not prompt and _is_prompt(text, follows_prompts=follows_prompts):
            text, prompt = question, text
    check_request(text)
    return Asked(
        text=text,
        attachments=content.attachments,
        earlier=tuple(Exchange(content=_lenient(each), answer=said) for each, said in earlier),
        prompt=prompt,
    )


def _exchanges(messages: Sequence[Message]) -> list[tuple[list[Block], str]]:
    """Return the user's blocks with the answer to them; the last may have none.

    An answer that calls the client's tools is not the last word on them.
    """
    found: list[tuple[list[Block], str]] = []
    for message in messages:
        content = message.content
        if message.role == "user":
            blocks: list[Block] = [content] if isinstance(content, str) else list(content or ())
            if found and not found[-1][1]:
                found[-1][0].extend(blocks)
            else:
                found.append((blocks, ""))
        elif message.role == "assistant" and found and not message.tool_calls:
            found[-1] = (found[-1][0], text_of(content) or found[-1][1])
    return found


def _named(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield the blocks, with the tag before an image as its name instead of a text."""
    texts = [text_of(block) for block in blocks]
    images = [not text and not isinstance(blocks[index], str) for index, text in enumerate(texts)]
    tagged = [
        index
        for index, text in enumerate(texts)
        if text and index + 1 < len(blocks) and images[index + 1] and _is_tag(text)
    ]
    questions = [index for index, text in enumerate(texts) if text and index not in tagged]
    if not questions:  # "What is in this image:" is a question, not a name
        tagged = [index for index in tagged if _COUNT.fullmatch(texts[index].rstrip(": "))]
    name = ""
    for index, block in enumerate(blocks):
        if index in tagged:
            name = texts[index].rstrip(": ")
        elif name and isinstance(block, dict):
            yield {"name": name, **block}
            name = ""
        else:
            yield block


def _is_tag(text: str) -> bool:
    if "\n" in text:
        return False
    return bool(_COUNT.fullmatch(text)) or (text.endswith(":") and len(text) <= _MAX_TAG)


def _is_prompt(text: str, *, follows_prompts: bool) -> bool:
    if follows_prompts:
        return len(text) > MAX_REQUEST_CHARACTERS
    if len(text) > _LONG_PROMPT_CHARACTERS:
        return True
    return len(text) > _PROMPT_CHARACTERS and bool(_PROMPT.search(text))


def _unwrapped(text: str) -> tuple[str, str]:
    """Return a person's words, and the prompt around them, if there is one."""
    found = _WRAPPED.match(text)
    words = (found["marked"] or found["after"] or "").strip() if found else ""
    return (words, text) if words else (text, "")


def _lenient(blocks: Sequence[Block]) -> Content:
    """Return the content of an earlier message; what cannot be read is left out."""
    try:
        return read_content(list(_named(blocks)))
    except InputError:
        return Content(texts=tuple(text for text in map(text_of, blocks) if text))
