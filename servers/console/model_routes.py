"""The routes behind the list of models; installing one needs the scope ``admin``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from edgewright.servers.console.answers import caller_of
from edgewright.servers.console.installations import Installations
from edgewright.servers.console.pages import API_PREFIX, INSTALLATIONS_PREFIX


class ModelRoutes:
    """The routes.

    Args:
        installations: The models, and those that are being installed.

    Attributes:
        router: The routes.
    """

    def __init__(self, installations: Installations) -> None:
        self._installations = installations
        self.router = APIRouter(include_in_schema=False)
        for method, path, endpoint in (
            ("GET", f"{API_PREFIX}/models", self.models),
            ("PUT", f"{INSTALLATIONS_PREFIX}/{{name}}", self.install),
            ("DELETE", f"{INSTALLATIONS_PREFIX}/{{name}}", self.stop),
        ):
            self.router.add_api_route(path, endpoint, methods=[method], response_class=Response)

    async def models(self) -> Response:
        """List the models, and what is being installed."""
        return JSONResponse(await self._installations.entries())

    async def install(self, name: str, request: Request) -> Response:
        """Begin to install a model."""
        self._installations.begin(caller_of(request), name)
        return Response(status_code=202)

    async def stop(self, name: str) -> Response:
        """Stop the installation of a model."""
        self._installations.stop(name)
        return Response(status_code=204)
