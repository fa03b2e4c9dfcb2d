"""Cards drafted from manuals, and added once approved; the routes need the scope ``admin``."""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from edgewright.agents.manuals.draft import CardDraft
from edgewright.agents.manuals.drafting import draft, make_extractor
from edgewright.agents.planner.fitting import confusion
from edgewright.edge_runtime.api.bodies import read_body
from edgewright.servers.console.answers import caller_of, read_json
from edgewright.servers.console.pages import CARDS_PREFIX
from edgewright.servers.front import Front
from edgewright.tools.cards.added import add_card, check_unused
from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.library import known_cards
from edgewright.tools.manuals.reading import read_manual
from edgewright.tools.settings import ChatModelSettings
from edgewright.tools.storage.scratch import scratch_folder

#: Characters that a file's name may have here.
_NAME = re.compile(r"[^\w. -]")
_MAX_NAME = 80


class CardRoutes:
    """The routes.

    Args:
        front: The front.

    Attributes:
        router: The routes.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self.router = APIRouter(include_in_schema=False)
        for path, endpoint in (
            ("/drafts", self.draft),
            ("/comparisons", self.compare),
            ("", self.add),
        ):
            self.router.add_api_route(
                CARDS_PREFIX + path, endpoint, methods=["POST"], response_class=Response
            )

    async def draft(self, request: Request, name: str) -> Response:
        """Draft a card from a manual; nothing is added."""
        body = await read_body(request.scope, request.receive, self._front.config.limits)
        chat = self._front.session.services.chat
        drafted = await self._front.start(
            caller_of(request), lambda: asyncio.to_thread(_drafted, name, body, chat)
        )
        return JSONResponse(drafted.model_dump(mode="json"))

    async def compare(self, request: Request) -> Response:
        """Report which cards a new one would be confused with; this takes up to a minute."""
        card = await read_json(ToolCard, request, self._front.config.limits)
        found = await self._front.start(
            caller_of(request), lambda: asyncio.to_thread(confusion.check, card, known_cards())
        )
        return JSONResponse(found.model_dump(mode="json"))

    async def add(self, request: Request) -> Response:
        """Add a card that a person has approved."""
        card = await read_json(ToolCard, request, self._front.config.limits)
        await asyncio.to_thread(_add, card)
        await self._front.session.services.refresh()
        return JSONResponse({"id": card.id}, status_code=201)


def _drafted(name: str, body: bytes, chat: ChatModelSettings) -> CardDraft:
    with scratch_folder() as folder:
        path = folder / (_NAME.sub("_", name)[-_MAX_NAME:].lstrip(".") or "manual")
        path.write_bytes(body)
        return draft(read_manual(path), make_extractor(chat))


def _add(card: ToolCard) -> None:
    check_unused(card, known_cards())
    add_card(card)
