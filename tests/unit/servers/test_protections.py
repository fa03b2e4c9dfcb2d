"""Every route of every server is protected: by keys and scopes, limits, and against other sites.

The routes are read from the applications, so that a new one is checked without a line here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from edgewright.edge_runtime.app import create_app as create_node
from edgewright.edge_runtime.config import NodeConfig, Scope
from edgewright.edge_runtime.keys import digest
from edgewright.edge_runtime.served import Served
from edgewright.servers.app import create_app
from edgewright.servers.config import ServeConfig
from edgewright.servers.front import Front

SCOPES: tuple[Scope, ...] = get_args(Scope)
#: A key for each scope, one for all of them, and one for none.
KEYS = [
    {"name": name, "sha256": digest(name.encode()), "scopes": scopes}
    for name, scopes in {**{scope: [scope] for scope in SCOPES}, "all": SCOPES, "none": []}.items()
]
READING = {"GET", "HEAD"}
#: Values of the parameters in paths; others have one that nothing is named by.
VALUES = {"{model}": "efficientnet-lite0", "{card}": "image-classification"}
MEDIA = ("application/json", "application/octet-stream", "image/png", "multipart/form-data")
BODY_BYTES, PIECE = 10_000, bytes(4_000)


@dataclass(frozen=True)
class Server:
    """A server, and what is known of its routes.

    Attributes:
        name: Its name.
        make: Makes its application and what it serves, of settings.
        open: Paths that need no key.
        scopes: Scopes that paths below these need; all others need ``infer``.
        bodies: Number of routes that read a body, at least.
    """

    name: str
    make: Callable[[Any, Any], tuple[FastAPI, Served]]
    open: frozenset[str]
    scopes: dict[str, Scope]
    bodies: int

    def scope_of(self, path: str) -> Scope:
        found = (scope for begin, scope in self.scopes.items() if path.startswith(begin))
        return next(found, "infer")


def front(session: Any, settings: Any) -> tuple[FastAPI, Served]:
    served = Front(ServeConfig.model_validate(settings), session)
    return create_app(served), served


def node(_: Any, settings: Any) -> tuple[FastAPI, Served]:
    app = create_node(NodeConfig.model_validate({"preload": [], **settings}))
    return app, app.state.node


SERVERS = [
    Server(
        "front",
        front,
        frozenset({"/", "/health", "/openapi.json", "/console/{name}", "/console/state"}),
        {
            "/metrics": "admin",
            "/console/api/trainings": "train",
            "/console/api/installations": "admin",
            "/console/api/cards": "admin",
        },
        9,
    ),
    Server(
        "node",
        node,
        frozenset({"/openapi.json", "/v2/health/live", "/v2/health/ready"}),
        {"/metrics": "admin", "/v1/artifacts": "artifacts", "/v1/moods": "train"},
        4,
    ),
]


@pytest.fixture(params=SERVERS, ids=lambda server: server.name)
def server(request: pytest.FixtureRequest) -> Server:
    return request.param


@dataclass(frozen=True)
class Route:
    """A route with one of its methods."""

    method: str
    path: str

    @property
    def url(self) -> str:
        parts = self.path
        for name, value in VALUES.items():
            parts = parts.replace(name, value)
        return "".join(_filled(parts))


def _filled(path: str) -> Iterator[str]:
    for part in path.split("{"):
        _, brace, rest = part.partition("}")
        yield f"unknown{rest}" if brace else part


def routes_of(app: FastAPI, server: Server) -> tuple[list[Route], list[Route]]:
    """Return the routes that need a key, and those that need none."""
    found: list[Route] = []
    for each in iter_route_contexts(app.routes):
        methods = getattr(each, "methods", None) or {"GET", "POST", "DELETE"}  # plain ASGI
        found += [Route(method, each.path) for method in sorted(methods)]
    assert len(found) > 10
    is_open = [route.path in server.open for route in found]
    return (
        [route for route, free in zip(found, is_open, strict=True) if not free],
        [route for route, free in zip(found, is_open, strict=True) if free],
    )


@asynccontextmanager
async def opened(
    server: Server, session: Any, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, list[Route], list[Route], Served]]:
    """Connect to a server without sockets; yield its routes and what it serves, too."""
    app, served = server.make(session, settings)
    # A refusal is expected, and no result: what is behind the front is scripted.
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client, *routes_of(app, server), served


async def ask(client: httpx.AsyncClient, route: Route, **options: Any) -> tuple[int, str]:
    """Return the status and the code of an answer; the code is empty if there is none."""
    response = await client.request(route.method, route.url, **options)
    client.cookies.clear()  # of a browser that has signed in
    try:
        body = response.json()
    except ValueError:
        return response.status_code, ""
    body = body if isinstance(body, dict) else {}
    error = body.get("error")
    return response.status_code, str((error if isinstance(error, dict) else body).get("code", ""))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_each_route_needs_a_key_with_its_scope(server: Server, session: Any) -> None:
    async with opened(server, session, keys=KEYS) as (client, guarded, free, _):
        assert {route.path for route in free} == server.open
        assert {route.method for route in free} <= READING
        for route in guarded:
            assert (await ask(client, route))[0] == 401, route
            assert (await ask(client, route, headers=bearer("wrong")))[0] == 401, route
            assert (await ask(client, route, headers=bearer("none")))[0] == 403, route
            needed = server.scope_of(route.path)
            for scope in SCOPES:
                status, _ = await ask(client, route, headers=bearer(scope))
                assert (status not in (401, 403)) == (scope == needed), (route, scope)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "http://evil.example"}, "cross_site"),
        ({"Origin": "null"}, "cross_site"),
        ({"Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Host": "evil.example"}, "host_unknown"),
        ({"Host": "127.0.0.1.evil.example"}, "host_unknown"),
    ],
)
async def test_no_route_answers_another_sites_page(
    server: Server, session: Any, headers: dict[str, str], code: str
) -> None:
    async with opened(server, session) as (client, guarded, *_):
        for route in guarded:
            status, found = await ask(client, route, headers=headers)
            assert status == 403, route
            assert found in (code, ""), route  # a response to HEAD has no body


async def test_no_route_is_outside_the_limit_on_requests(server: Server, session: Any) -> None:
    limits = {"concurrency": 1}
    async with opened(server, session, keys=KEYS, limits=limits) as (client, guarded, free, served):
        served.requests.take("all", usual_s=lambda: 1.0)
        answers = [ask(client, route, headers=bearer("all")) for route in guarded]
        for route, (status, _) in zip(guarded, await asyncio.gather(*answers), strict=True):
            assert status == 429, route
        for route in free:
            assert (await ask(client, route))[0] != 429, route
        served.requests.free("all")
        served.draining = True
        for route in guarded:
            assert (await ask(client, route, headers=bearer("all")))[0] == 503, route


async def test_no_route_reads_a_body_beyond_the_limit(server: Server, session: Any) -> None:
    async with opened(server, session, limits={"body_bytes": BODY_BYTES}) as (client, guarded, *_):
        read: set[str] = set()
        for route in guarded:
            for media in MEDIA:
                sent = 0

                async def endless() -> AsyncIterator[bytes]:
                    nonlocal sent
                    while True:
                        sent += len(PIECE)
                        yield PIECE

                headers = {"Content-Type": media, "Accept": "application/json, text/event-stream"}
                status, _ = await ask(client, route, headers=headers, content=endless())
                assert sent <= BODY_BYTES + 2 * len(PIECE), route
                if sent > len(PIECE):
                    assert status == 413, route
                    read.add(route.path)
        assert len(read) >= server.bodies, read


def test_the_app_for_graph_servers_adds_no_route() -> None:
    from edgewright.graphs.assistant.server import app

    assert app.routes == []
