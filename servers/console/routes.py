"""The routes behind the console's pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from edgewright.agents.planner.request import MAX_REQUEST
from edgewright.edge_runtime.api.bodies import header, media_type, read_body
from edgewright.graphs.assistant.messages import check_request, default_question
from edgewright.servers.console.answers import Known, caller_of, event_stream, read_json
from edgewright.servers.console.cards import CardRoutes
from edgewright.servers.console.conversations import Conversations
from edgewright.servers.console.installations import Installations
from edgewright.servers.console.model_routes import ModelRoutes
from edgewright.servers.console.network import Network
from edgewright.servers.console.pages import API_PREFIX, PREFIX, SAFE_HEADERS
from edgewright.servers.console.repeats import Repeat, repeat
from edgewright.servers.console.sessions import SignIns
from edgewright.servers.console.training_routes import TrainingRoutes
from edgewright.servers.console.trainings import Trainings
from edgewright.servers.front import Front
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError, MediaTypeError
from edgewright.tools.images.conversion import to_accepted_format

Json = dict[str, Any]

_MAX_IMAGES = 16


class Asked(BaseModel):
    """A request that a page sends.

    Attributes:
        conversation: The conversation that it continues; None begins a new one.
        text: Its text.
        images: Images that were sent before, or that a node's camera holds.
    """

    model_config = ConfigDict(extra="forbid")

    conversation: str | None = Field(default=None, max_length=64)
    text: str = Field(default="", max_length=MAX_REQUEST)
    images: tuple[ImageRef, ...] = Field(default=(), max_length=_MAX_IMAGES)


class ConsoleRoutes:
    """The routes.

    Args:
        front: The front.
        sign_ins: The browsers that have signed in.

    Attributes:
        router: The routes.
    """

    def __init__(self, front: Front, sign_ins: SignIns) -> None:
        self._front = front
        self._sign_ins = sign_ins
        self._conversations = Conversations(front)
        self._network = Network(front)
        self._trainings = Trainings(front)
        self._installations = Installations(front)
        self.router = APIRouter(include_in_schema=False)
        self.router.include_router(TrainingRoutes(front, self._trainings).router)
        self.router.include_router(ModelRoutes(self._installations).router)
        self.router.include_router(CardRoutes(front).router)
        for method, path, endpoint in (
            ("POST", "/session", self.sign_in),
            ("DELETE", "/session", self.sign_out),
            ("POST", "/images", self.store_image),
            ("GET", "/images/{digest}", self.image),
            ("GET", "/cameras", self.cameras),
            ("GET", "/conversations", self.conversations),
            ("GET", "/conversations/{name}", self.conversation),
            ("DELETE", "/conversations/{name}", self.remove),
            ("POST", "/requests", self.ask),
            ("GET", "/requests/{name}", self.exchange),
            ("GET", "/requests/{name}/events", self.events),
            ("DELETE", "/requests/{name}", self.stop),
            ("POST", "/requests/{name}/repeats", self.again),
            ("GET", "/network", self.network),
            ("GET", "/tools", self.tools),
        ):
            self.router.add_api_route(
                API_PREFIX + path, endpoint, methods=[method], response_class=Response
            )
        self.router.add_api_route(f"{PREFIX}/state", self.state, methods=["GET"])

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch over work without a request while the block runs, and stop it at the end."""
        try:
            async with self._trainings.watching():
                yield
        finally:
            self._installations.stop()

    async def state(self, request: Request) -> Response:
        """Report what the pages depend on; this needs no key."""
        return JSONResponse(
            {
                "keys": bool(self._front.config.keys),
                "signed_in": self._sign_ins.knows(request.scope),
                "max_image_bytes": self._front.config.limits.body_bytes,
                "max_images": _MAX_IMAGES,
            }
        )

    async def sign_in(self, request: Request) -> Response:
        """Remember the key that this request was admitted with."""
        given = header(request.scope, b"authorization") or b""
        return Response(status_code=204, headers={"Set-Cookie": self._sign_ins.begin(given)})

    async def sign_out(self, request: Request) -> Response:
        """Forget the key."""
        return Response(status_code=204, headers={"Set-Cookie": self._sign_ins.end(request.scope)})

    async def store_image(self, request: Request, name: str = "") -> Response:
        """Store an image, which requests then name."""
        if not media_type(request.scope).startswith(("image/", "application/octet-stream")):
            raise MediaTypeError("an image was expected; send a PNG, JPEG, WebP or AVIF file")
        body = await read_body(request.scope, request.receive, self._front.config.limits)
        store = self._front.session.services.images

        def stored() -> ImageRef:
            return store.put(to_accepted_format(body), name[:200])

        return JSONResponse((await asyncio.to_thread(stored)).model_dump(mode="json"))

    async def image(self, digest: str) -> Response:
        """Return a stored image; its address never means another one."""
        store = self._front.session.services.images
        ref = _reference(digest)
        data = await asyncio.to_thread(store.get, ref)
        facts = await asyncio.to_thread(store.facts, ref)
        headers = {**SAFE_HEADERS, "Cache-Control": "private, max-age=31536000, immutable"}
        return Response(data, headers=headers, media_type=facts.mime)

    async def cameras(self) -> Response:
        """List the images that the nodes' cameras hold."""
        sensors = await self._front.session.services.node.sensors()
        return JSONResponse(
            [
                {"name": each.name, "items": each.items}
                for each in sensors
                if each.kind == "camera" and each.items
            ]
        )

    async def conversations(self, request: Request) -> Response:
        """List the caller's conversations."""
        found = self._conversations.of(caller_of(request))
        return JSONResponse([each.summary() for each in found])

    async def conversation(self, name: str, request: Request) -> Response:
        """Return a conversation with everything that has happened in it."""
        found = self._conversations.get(name, caller_of(request))
        exchanges = [each.as_json() for each in found.exchanges]
        return JSONResponse({**found.summary(), "exchanges": exchanges})

    async def remove(self, name: str, request: Request) -> Response:
        """Forget a conversation."""
        self._conversations.remove(self._conversations.get(name, caller_of(request)))
        return Response(status_code=204)

    async def ask(self, request: Request) -> Response:
        """Begin to answer a request."""
        asked = await read_json(Asked, request, self._front.config.limits)
        text = asked.text.strip()
        if asked.images and not text:
            text = default_question(len(asked.images))
        check_request(text)
        conversation, exchange = self._conversations.ask(
            request.scope["caller"], asked.conversation, text, asked.images
        )
        return JSONResponse(
            {"conversation": conversation.id, "exchange": exchange.as_json()}, status_code=202
        )

    async def exchange(self, name: str, request: Request) -> Response:
        """Return a request with everything that has happened of it."""
        return JSONResponse(self._conversations.exchange(name, caller_of(request)).as_json())

    async def events(self, name: str, request: Request, after: Known = 0) -> Response:
        """Stream the events of a request; a page that was reloaded takes up where it was."""
        exchange = self._conversations.exchange(name, caller_of(request))
        return event_stream(exchange, request, after)

    async def stop(self, name: str, request: Request) -> Response:
        """Stop a request."""
        exchange = self._conversations.exchange(name, caller_of(request))
        if exchange.work is not None:
            exchange.work.cancel()
        return Response(status_code=204)

    async def again(self, name: str, request: Request) -> Response:
        """Run a task again with another arm, beside its first result."""
        wanted = await read_json(Repeat, request, self._front.config.limits)
        exchange = self._conversations.exchange(name, caller_of(request))
        services = self._front.session.services
        event = await self._front.start(
            caller_of(request), lambda: repeat(exchange, wanted, services)
        )
        return JSONResponse(exchange.add(event))

    async def network(self, request: Request) -> Response:
        """Report the network, and how the caller's latest tasks were run."""
        caller = caller_of(request)
        runs = [run for owner, run in self._conversations.runs if owner == caller]
        observed = await self._network.observe()
        return JSONResponse({**observed, "runs": runs, "at": round(time.time(), 3)})

    async def tools(self) -> Response:
        """List what can be requested, and what is missing for the rest."""
        views = await self._front.session.services.node.tools()
        return JSONResponse([view.model_dump(mode="json", by_alias=True) for view in views])


def _reference(digest: str) -> ImageRef:
    try:
        return ImageRef(uri=f"store:{digest}", sha256=digest)
    except ValidationError:
        raise InputError("an image is named by its SHA-256 digest", code="image_unknown") from None
