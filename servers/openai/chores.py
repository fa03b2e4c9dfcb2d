"""Chores that chat clients give to the same model: a title for a chat, tags, follow-up questions.

They are answered at once, from the words of the chat alone.
"""

from __future__ import annotations

import json
import re

_CHORE = re.compile(r"\s*#+\s*Task:", re.IGNORECASE)
_KEY = re.compile(r"\{\s*\"(?P<key>\w+)\"\s*:\s*(?P<list>\[?)")
_HISTORY = re.compile(r"<chat_history>(?P<chat>.*?)(</chat_history>|\Z)", re.DOTALL)
_FIRST_WORDS = re.compile(r"^\W*(USER|Human)\s*:\s*(?P<text>.+)$", re.IGNORECASE | re.MULTILINE)
#: What says that a conversation is to be named, whichever comes first.
_NAMING = re.compile(
    r"\b(title|name)\b.{0,200}\b(conversation|chat|dialog(ue)?)\b"
    r"|\b(conversation|chat|dialog(ue)?)\b.{0,200}\b(title|name)\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE_WORDS = 6
_NEW_CHAT = "New chat"


def chore_answer(text: str) -> str | None:
    """Answer a chore; None if a text is none.

    Open WebUI writes them as "### Task: …", with the form of the answer as JSON and the chat
    between ``<chat_history>`` tags. Other clients ask for a title in words of their own, with what
    was said as lines that begin with ``User:``.

    Args:
        text: The words of the last message.

    Returns:
        JSON of the requested form: a title from the chat's first words, the tag "General", and
        nothing where suggestions are requested.
    """
    history = _HISTORY.search(text)
    if history is None or not _CHORE.match(text):
        return _title(text) if _FIRST_WORDS.search(text) and _NAMING.search(text) else None
    instructions = text[: history.start()]
    found = _KEY.search(instructions)
    if found is None:
        return _title(history["chat"])
    key = found["key"]
    values: dict[str, object] = {"title": _title(history["chat"]), "tags": ["General"]}
    return json.dumps({key: values.get(key, [] if found["list"] else "")}, ensure_ascii=False)


def _title(chat: str) -> str:
    found = _FIRST_WORDS.search(chat)
    words = found["text"].split() if found else []
    title = " ".join(words[:_TITLE_WORDS]).strip(" .?!,;:\"'`")
    return title[:1].upper() + title[1:] or _NEW_CHAT
