"""The network as the console shows it: nodes, links, and what is known of those that are gone."""

from __future__ import annotations

import asyncio
from typing import Any

from edgewright.servers.front import Front
from edgewright.tools.contracts.arms import LinkState, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile, PeerView
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.nodes.client import NodeClient

Json = dict[str, Any]

_LIMIT_S = 3.0


class Network:
    """Observes the nodes behind a session.

    Args:
        front: The front whose session uses them.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._known: dict[str, Json] = {}

    async def observe(self) -> Json:
        """Return nodes and links; a node that does not answer is shown as it was last seen.

        Raises:
            UnavailableError: The node of this machine did not start.
        """
        clients = await self._front.session.services.node.clients()
        profiles = await asyncio.gather(*(_profile(client) for client in clients))
        nodes: dict[str, Json] = {}
        links: list[Json] = []
        for client, profile in zip(clients, profiles, strict=True):
            if isinstance(profile, NodeProfile):
                node = _node(profile, client.url)
                self._known[client.url] = node
                nodes[node["name"]] = node
            else:
                known = self._known.get(client.url)
                node = known or {"name": client.url, "role": "device", "models": []}
                nodes[node["name"]] = {**node, "url": client.url, "up": False, "error": profile}
        for profile in profiles:
            if not isinstance(profile, NodeProfile):
                continue
            for name, view in profile.peers.items():
                peer = _peer(profile.node, name, view)
                links.append(_link(profile.node, peer["name"], view.link))
                nodes.setdefault(peer["name"], peer)
        return {"nodes": list(nodes.values()), "links": links}


async def _profile(client: NodeClient) -> NodeProfile | str:
    """Return a node's profile, or why there is none."""
    try:
        async with asyncio.timeout(_LIMIT_S):
            return await client.profile()
    except TimeoutError:
        return f"{client.url} did not answer within {_LIMIT_S:g} s"
    except EdgewrightError as error:
        return error.info().message


def _peer(node: str, name: str, view: PeerView) -> Json:
    """Return a node's peer, as the node knows it."""
    if view.profile is None:
        peer: Json = {"name": name, "role": "edge", "models": [], "url": ""}
    else:
        peer = _node(view.profile, "")
    error = "" if view.link.up else f"{node} does not reach it"
    return {**peer, "up": view.link.up, "error": error}


def _node(profile: NodeProfile, url: str) -> Json:
    return {
        "name": profile.node,
        "role": profile.role,
        "url": url,
        "up": True,
        "error": "",
        "models": [_model(model, profile.load.get(name)) for name, model in profile.models.items()],
    }


def _model(model: ModelProfile, load: ServerLoad | None) -> Json:
    return {
        "id": model.model,
        "revision": model.revision,
        "engine": model.engine.label,
        "whole_ms": round(model.whole_ms, 2),
        "slowdown": model.slowdown,
        "points": len(model.points),
        "calls_per_s": 0.0 if load is None else round(load.arrivals_per_s, 3),
        "utilisation": 0.0 if load is None else round(min(load.utilisation, 1.0), 4),
    }


def _link(source: str, target: str, state: LinkState) -> Json:
    return {
        "from": source,
        "to": target,
        "rate_kb_per_s": round(state.rate_kb_per_s, 2),
        "rtt_ms": round(state.rtt_ms, 2),
        "samples": state.samples,
        "up": state.up,
    }
