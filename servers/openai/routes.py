"""Routes of OpenAI's API."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from edgewright.edge_runtime.api.bodies import media_type, read_body
from edgewright.edge_runtime.api.routes.raw import while_connected
from edgewright.edge_runtime.keys import Caller
from edgewright.servers.front import Front
from edgewright.servers.openai.answering import Question, check_model
from edgewright.servers.openai.memory import Memory
from edgewright.servers.openai.replies import MODEL, Answer, Chunks, completion
from edgewright.servers.openai.requests import ChatRequest, parse
from edgewright.servers.openai.responses_input import ResponsesRequest
from edgewright.servers.openai.responses_output import response, response_events
from edgewright.servers.openai.streaming import stream
from edgewright.tools.errors import MediaTypeError

Json = dict[str, Any]

#: Begin of every path.
PREFIX = "/v1"


class Routes:
    """The routes.

    Args:
        front: The front.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._memory = Memory()
        self._created = int(time.time())
        self.router = APIRouter(prefix=PREFIX, tags=["openai"])
        self.router.add_api_route("/models", self.models, methods=["GET"])
        self.router.add_api_route("/models/{model}", self.model, methods=["GET"])
        self.router.add_api_route(
            "/chat/completions", self.chat, methods=["POST"], response_class=Response
        )
        self.router.add_api_route(
            "/responses", self.responses, methods=["POST"], response_class=Response
        )

    async def models(self) -> Json:
        """List the models: there is one, which plans each request over all tools."""
        return {"object": "list", "data": [self._model()]}

    async def model(self, model: str) -> Json:
        """Describe the model."""
        check_model(model)
        return self._model()

    async def chat(self, request: Request) -> Response:
        """Answer the last message of a conversation."""
        wanted = parse(ChatRequest, await self._body(request))
        work = self._start(wanted, request)
        if wanted.stream:
            chunks = Chunks(wanted)
            return stream(work, chunks.first(), chunks.rest)
        return await _whole(work, request, lambda answer: completion(answer, wanted.n or 1))

    async def responses(self, request: Request) -> Response:
        """Answer the last message of a conversation, in the form of the Responses API."""
        wanted = parse(ResponsesRequest, await self._body(request))
        work = self._start(wanted.as_chat(), request)
        if not wanted.stream:
            return await _whole(work, request, lambda answer: response(answer, wanted))
        empty = Answer(content="")
        begun = response(empty, wanted, begun=True)
        first = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
        ]
        return stream(
            work,
            first,
            lambda answer: response_events(
                replace(answer, id=empty.id, created=empty.created), wanted
            ),
            named=True,
        )

    def _start(self, request: ChatRequest, http: Request) -> asyncio.Task[Answer]:
        """Read a request, and start to answer it."""
        caller: Caller = http.scope["caller"]
        front = self._front
        return front.start(caller.name, Question(request, front, self._memory, caller).answer)

    async def _body(self, request: Request) -> bytes:
        declared = media_type(request.scope)
        if declared != "application/json":
            raise MediaTypeError(
                f"the body is declared as {declared[:100] or 'nothing'!r}; send application/json"
            )
        return await read_body(request.scope, request.receive, self._front.config.limits)

    def _model(self) -> Json:
        return {
            "id": MODEL,
            "object": "model",
            "created": self._created,
            "owned_by": "edgewright",
        }


async def _whole(
    work: asyncio.Task[Answer], request: Request, write: Callable[[Answer], Json]
) -> Response:
    answer = await while_connected(work, request.receive)
    return Response(json.dumps(write(answer), ensure_ascii=False), media_type="application/json")
