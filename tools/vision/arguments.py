"""Arguments that experts share, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping

from edgewright.tools.errors import InputError

_MAX_QUESTION = 300


def question_of(args: Mapping[str, str]) -> str:
    """Return the question among a card's arguments.

    Raises:
        InputError: It is missing (``argument_missing``) or too long (``argument_too_long``).
    """
    question = args.get("question", "").strip()
    if not question:
        raise InputError(
            "the argument 'question' is missing; say what to answer about the picture",
            code="argument_missing",
        )
    if len(question) > _MAX_QUESTION:
        raise InputError(
            f"the question has {len(question)} characters; shorten it to {_MAX_QUESTION}",
            code="argument_too_long",
        )
    return question
