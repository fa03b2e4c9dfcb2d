"""Validation of card arguments that several experts share."""

from __future__ import annotations

from collections.abc import Mapping

from edgewright.tools.errors import InputError

_MAX_QUESTION = 300


def question_of(args: Mapping[str, str]) -> str:
    """Return the question from a card's arguments.

    Raises:
        InputError: The question is missing (``argument_missing``) or too long
            (``argument_too_long``).
    """
    question = args.get("question", "").strip()
    if not question:
        raise InputError(
            "the argument 'question' is missing; pass a question about the image",
            code="argument_missing",
        )
    if len(question) > _MAX_QUESTION:
        raise InputError(
            f"the question has {len(question)} characters; shorten it to at most {_MAX_QUESTION}",
            code="argument_too_long",
        )
    return question
