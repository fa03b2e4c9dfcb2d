"""The routes behind the train page; they need the scope ``train``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from edgewright.graphs.assistant.messages import check_request
from edgewright.servers.console.answers import Known, caller_of, event_stream, read_json
from edgewright.servers.console.pages import TRAININGS_PREFIX
from edgewright.servers.console.trainings import Decision, Described, Trainings
from edgewright.servers.data import list_data
from edgewright.servers.front import Front


class TrainingRoutes:
    """The routes.

    Args:
        front: The front.
        trainings: The trainings.

    Attributes:
        router: The routes.
    """

    def __init__(self, front: Front, trainings: Trainings) -> None:
        self._front = front
        self._trainings = trainings
        self.router = APIRouter(include_in_schema=False)
        for method, path, endpoint in (
            ("GET", "", self.trainings),
            ("POST", "", self.begin),
            ("GET", "/data", self.data),
            ("GET", "/{name}", self.training),
            ("GET", "/{name}/events", self.events),
            ("POST", "/{name}/decisions", self.decide),
            ("POST", "/{name}/resume", self.resume),
            ("DELETE", "/{name}", self.stop),
        ):
            self.router.add_api_route(
                TRAININGS_PREFIX + path, endpoint, methods=[method], response_class=Response
            )

    async def trainings(self, request: Request) -> Response:
        """List the caller's trainings."""
        return JSONResponse([each.summary() for each in self._trainings.of(caller_of(request))])

    async def data(self) -> Response:
        """List the data that can be chosen."""
        return JSONResponse(list_data(self._front.config.data))

    async def begin(self, request: Request) -> Response:
        """Begin a training."""
        wanted = await read_json(Described, request, self._front.config.limits)
        check_request(wanted.purpose.strip())
        training = self._trainings.begin(caller_of(request), wanted)
        return JSONResponse(training.as_json(), status_code=202)

    async def training(self, name: str, request: Request) -> Response:
        """Return a training with everything that has happened of it."""
        return JSONResponse(self._trainings.get(name, caller_of(request)).as_json())

    async def events(self, name: str, request: Request, after: Known = 0) -> Response:
        """Stream the events of a training, which goes on as long as a page follows them."""
        return event_stream(self._trainings.get(name, caller_of(request)), request, after)

    async def decide(self, name: str, request: Request) -> Response:
        """Go on as a person has decided."""
        decision = await read_json(Decision, request, self._front.config.limits)
        self._trainings.decide(self._trainings.get(name, caller_of(request)), decision)
        return Response(status_code=204)

    async def resume(self, name: str, request: Request) -> Response:
        """Go on with a training that was stopped."""
        self._trainings.resume(self._trainings.get(name, caller_of(request)))
        return Response(status_code=204)

    async def stop(self, name: str, request: Request) -> Response:
        """Stop a training."""
        self._trainings.stop(self._trainings.get(name, caller_of(request)))
        return Response(status_code=204)
