"""The card registry: which cards exist, and whether they can be carried out here."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.cards.demonstrations import (
    DEMONSTRATIONS,
    PlanDemonstration,
    parse_demonstrations,
    read_demonstrations,
)
from edgewright.tools.contracts.cards import CardStatus, ExpertStatus, ToolCard
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.storage.documents import DocumentError, parse_yaml
from edgewright.tools.storage.reading import decode, read_file

_LOG = logging.getLogger(__name__)
#: Maximum size of the file of a card, in bytes.
MAX_CARD_BYTES = 500_000

#: The card that the assistant carries out instead of a node.
TRAINING_CARD = "federated-training"
#: The card that works with whatever of its inputs is there, and names what is not.
FUSION_CARD = "decision-fusion"


class CardRegistry:
    """An ordered set of cards, with demonstrations of requests for several of them.

    Args:
        cards: The cards; ids must be unique.
        demonstrations: Requests that need several of the cards.
    """

    def __init__(
        self, cards: Iterable[ToolCard], demonstrations: Iterable[PlanDemonstration] = ()
    ) -> None:
        self.demonstrations = tuple(demonstrations)
        self._cards: dict[str, ToolCard] = {}
        for card in cards:
            if card.id in self._cards:
                raise InputError(f"two cards have the id {card.id!r}; rename one of them")
            self._cards[card.id] = card

    @classmethod
    def builtin(cls) -> CardRegistry:
        """Load the cards that ship with the package."""
        folder = files("edgewright.tools.cards") / "catalogue"
        texts = sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir())
        cards = [_parse(name, text) for name, text in texts if name.endswith(".yaml")]
        several = (folder / DEMONSTRATIONS).read_text("utf-8")
        ids = {card.id for card in cards}
        return cls(cards, parse_demonstrations(DEMONSTRATIONS, several, ids))

    @classmethod
    def from_folder(cls, folder: Path) -> CardRegistry:
        """Load every ``*.yaml`` card of a folder; files that do not validate are left out.

        Args:
            folder: Folder with one card per file and, optionally, ``demonstrations.jsonl``.

        Raises:
            InputError: The folder contains no valid card.
        """
        cards, faults = read_cards(folder)
        if not cards:
            reason = faults[0].message if faults else f"no *.yaml cards in {folder.name!r}"
            raise InputError(reason)
        several = folder / DEMONSTRATIONS
        if not several.is_file():
            return cls(cards)
        try:
            return cls(cards, read_demonstrations(several, {card.id for card in cards}))
        except InputError as error:
            _LOG.warning("left out: %s", error.message)
            return cls(cards)

    def __iter__(self) -> Iterator[ToolCard]:
        return iter(self._cards.values())

    def __len__(self) -> int:
        return len(self._cards)

    def __contains__(self, card_id: object) -> bool:
        return card_id in self._cards

    def get(self, card_id: str) -> ToolCard:
        """Return one card.

        Raises:
            NotFoundError: There is no such card.
        """
        try:
            return self._cards[card_id]
        except KeyError:
            raise NotFoundError(
                f"no card {card_id[:100]!r}; 'edgewright plan --list' shows the cards",
                code="unknown_card",
            ) from None

    def with_cards(self, cards: Iterable[ToolCard]) -> CardRegistry:
        """Return a new registry with additional cards."""
        return CardRegistry([*self, *cards], self.demonstrations)

    def with_demonstrations(self, demonstrations: Iterable[PlanDemonstration]) -> CardRegistry:
        """Return a new registry with additional demonstrations."""
        return CardRegistry(self, [*self.demonstrations, *demonstrations])

    def statuses(self, experts: Mapping[str, ExpertStatus]) -> list[CardStatus]:
        """Match each card with the first of its experts that can run.

        Args:
            experts: Status of each expert, by id.
        """
        return [self._status(card, experts) for card in self]

    @staticmethod
    def _status(card: ToolCard, experts: Mapping[str, ExpertStatus]) -> CardStatus:
        if not card.experts:
            reason = (
                "the assistant trains the model; 'edgewright train' does it without a plan"
                if card.id == TRAINING_CARD
                else "no expert exists for this card yet"
            )
            return CardStatus(card=card, available=False, expert=None, reason=reason)
        reasons: list[str] = []
        for expert_id in card.experts:
            status = experts.get(expert_id)
            if status is None:
                reasons.append(f"{expert_id}: not installed on this node")
            elif status.available:
                return CardStatus(
                    card=card, available=True, expert=status, reason="; ".join(reasons)
                )
            else:
                reasons.append(f"{expert_id}: {status.reason}")
        return CardStatus(card=card, available=False, expert=None, reason="; ".join(reasons))


def read_cards(folder: Path) -> tuple[list[ToolCard], list[InputError]]:
    """Read every ``*.yaml`` card of a folder, by file name.

    Returns:
        The valid cards, and an error for each other file, which is logged too. Of several cards
        with the same id, the first is valid.
    """
    cards: dict[str, ToolCard] = {}
    faults = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            card = read_card(path)
            if card.id in cards:
                raise InputError(f"card {path.name}: another card has the id {card.id!r}")
            cards[card.id] = card
        except InputError as error:
            _LOG.warning("left out: %s", error.message)
            faults.append(error)
    return list(cards.values()), faults


def read_card(path: Path) -> ToolCard:
    """Read a card from its YAML file.

    Args:
        path: The file.

    Raises:
        InputError: It cannot be read or does not validate; the message names the file and the
            field.
    """
    return _parse(path.name, decode(read_file(path, MAX_CARD_BYTES)))


def _parse(name: str, text: str) -> ToolCard:
    try:
        return ToolCard.model_validate(parse_yaml(text))
    except DocumentError as error:
        raise InputError(f"card {name}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "card"
        raise InputError(f"card {name}: {where}: {first['msg']}") from None
