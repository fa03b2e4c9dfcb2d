"""Admission of requests, as on nodes, with errors in the form of the interface that is called.

A browser that has signed in is admitted to the console by its cookie.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from edgewright.edge_runtime import config
from edgewright.edge_runtime.api.middleware import METRICS_PATH, NodeMiddleware
from edgewright.servers.console import pages
from edgewright.servers.console.sessions import SignIns
from edgewright.servers.front import Front
from edgewright.servers.mcp.transports import PATH
from edgewright.servers.openai.errors import error_response
from edgewright.servers.openai.routes import PREFIX
from edgewright.tools.errors import EdgewrightError

HEALTH_PATH = "/health"
#: Paths that need no key.
_OPEN_PATHS = frozenset({HEALTH_PATH, "/openapi.json"})


class FrontMiddleware(NodeMiddleware):
    """Admits requests and records them; see ``NodeMiddleware``.

    Args:
        app: The application behind it.
        node: The front.
        sign_ins: The browsers that have signed in.
    """

    def __init__(self, app: ASGIApp, node: Front, sign_ins: SignIns) -> None:
        super().__init__(app, node)
        self._sign_ins = sign_ins

    #: Calls of MCP begin traces themselves, since a connection carries many.
    not_traced = frozenset({METRICS_PATH, PATH})

    def scope_of(self, path: str) -> config.Scope | None:
        """Return the scope that a path requires; None if it needs no key."""
        # The console's files are the same for everybody, and ask for the key.
        if path in _OPEN_PATHS or pages.is_page(path):
            return None
        return pages.scope_of(path) or super().scope_of(path)

    def authorization(self, scope: Scope) -> bytes | None:
        """Return what authorises a request: its header, or a browser's cookie."""
        return self._sign_ins.authorization(scope)

    def response(self, error: EdgewrightError, scope: Scope) -> Response:
        """Return the response that reports an error."""
        if scope["path"].startswith(PREFIX):
            return error_response(error)
        return super().response(error, scope)
