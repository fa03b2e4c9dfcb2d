"""Cards added by a person on this machine: one YAML file each in the state folder."""

from __future__ import annotations

from pathlib import Path

import yaml

from edgewright.tools.cards.registry import CardRegistry, read_cards
from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.errors import InputError, StorageError
from edgewright.tools.settings import home


def cards_folder() -> Path:
    """Return the folder of added cards, which may not exist."""
    return home() / "cards"


def added_cards() -> list[ToolCard]:
    """List the added cards by file name; an invalid one is logged and left out."""
    return read_cards(cards_folder())[0]


def check_unused(card: ToolCard, known: CardRegistry) -> None:
    """Check that no card has the id of a new one.

    Args:
        card: The new card.
        known: The cards of this machine.

    Raises:
        InputError: There is one (``card_exists``).
    """
    if card.id in known:
        raise InputError(
            f"a card {card.id!r} exists already; choose another id in the draft",
            code="card_exists",
        )


def add_card(card: ToolCard) -> Path:
    """Add a card so that requests can use it from now on.

    Args:
        card: The card, approved by a person.

    Returns:
        Path of its file.

    Raises:
        InputError: A card with that id was added before (``card_exists``).
        StorageError: The folder is not writable.
    """
    path = cards_folder() / f"{card.id}.yaml"
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"card {card.id!r} already exists; remove {str(path)!r} first", code="card_exists"
        ) from None
    except OSError as error:
        raise StorageError(
            f"cannot write {str(path)!r}: {error.strerror}; set EDGEWRIGHT_HOME to a "
            "writable folder"
        ) from None
    return path
