"""The console's files, as they are in the package, and the headers that confine them."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from edgewright.edge_runtime.config import Scope
from edgewright.tools.errors import NotFoundError

#: Begin of every path but that of the page itself.
PREFIX = "/console"
#: Begin of the paths that need a key, where there are any.
API_PREFIX = f"{PREFIX}/api"
TRAININGS_PREFIX = f"{API_PREFIX}/trainings"
INSTALLATIONS_PREFIX = f"{API_PREFIX}/installations"
CARDS_PREFIX = f"{API_PREFIX}/cards"
#: Scopes of the paths below these; the others need ``infer``.
_SCOPES: Mapping[str, Scope] = {
    TRAININGS_PREFIX: "train",
    INSTALLATIONS_PREFIX: "admin",
    CARDS_PREFIX: "admin",
}

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
#: Nothing from elsewhere, nothing inline, and no text that becomes markup.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
SAFE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def is_page(path: str) -> bool:
    """Return whether a path is the page, one of its files, or what they depend on."""
    return path == "/" or (path.startswith(f"{PREFIX}/") and not path.startswith(f"{API_PREFIX}/"))


def scope_of(path: str) -> Scope | None:
    """Return the scope that a path of the console requires beyond the usual one, if any."""
    for prefix, scope in _SCOPES.items():
        if path == prefix or path.startswith(f"{prefix}/"):
            return scope
    return None


@dataclass(frozen=True)
class _File:
    """A file, as it is and compressed."""

    data: bytes

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.data, mtime=0)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()[:20]


class Pages:
    """Serves the files.

    Attributes:
        router: Their routes.
    """

    def __init__(self) -> None:
        folder = files("edgewright.servers.console") / "static"
        self._files = {
            entry.name: _File(entry.read_bytes()) for entry in folder.iterdir() if entry.is_file()
        }
        self.router = APIRouter(include_in_schema=False)
        methods = ["GET", "HEAD"]
        self.router.add_api_route("/", self.index, methods=methods)
        self.router.add_api_route(f"{PREFIX}/{{name}}", self.file, methods=methods)

    async def index(self, request: Request) -> Response:
        """Serve the page."""
        return self._response("index.html", request)

    async def file(self, name: str, request: Request) -> Response:
        """Serve a script, the styles or the icon."""
        return self._response(name, request)

    def _response(self, name: str, request: Request) -> Response:
        file = self._files.get(name)
        if file is None:
            raise NotFoundError(
                f"the console has no file {name[:100]!r}; open /", code="unknown_file"
            )
        packed = _accepts_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{file.digest}{"-gzip" if packed else ""}"'
        # Another version of the package may answer next time: the browser asks whether it has.
        headers = {
            **SAFE_HEADERS,
            "Cache-Control": "no-cache",
            "ETag": tag,
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        data = file.packed if packed else file.data
        return Response(data, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])


def _accepts_gzip(header: str) -> bool:
    """Return whether an ``Accept-Encoding`` allows gzip."""
    encodings = (each.partition(";") for each in header.lower().replace(" ", "").split(","))
    return any(name == "gzip" and weight.rstrip("0.") != "q=" for name, _, weight in encodings)
