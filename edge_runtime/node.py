"""The node: the state that its routes share, from start to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from edgewright.edge_runtime.config import NodeConfig, PeerConfig
from edgewright.edge_runtime.keys import KeyRing
from edgewright.edge_runtime.metrics import Metrics
from edgewright.edge_runtime.peers.peer import Peer
from edgewright.edge_runtime.profiling import measure as profiling
from edgewright.edge_runtime.sensors import NodeSensors
from edgewright.edge_runtime.workers.places import Places
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.tools.cards import CardRegistry, CardStatus, ToolCard
from edgewright.tools.contracts.arms import Precision
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile
from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.federated.serving.installed import (
    changed_at,
    installed_revisions,
    models_folder,
)
from edgewright.tools.library import expert_statuses, experts, known_cards, sensing_experts
from edgewright.tools.models.expert import Expert
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.urls import shown_url
from edgewright.tools.offload.backlog import Backlog
from edgewright.tools.offload.policy import OffloadingPolicy
from edgewright.tools.sensing.expert import SensingExpert
from edgewright.tools.tracing import Tracing

log = logging.getLogger(__name__)


class Node:
    """A node.

    Args:
        config: Its configuration.
        workers: Its model workers; None creates them from the configuration.
        peer_clients: Clients of its peers by name; others are created from the configuration.

    Attributes:
        config: Its configuration.
        cards: What can be requested.
        camera: Its photographs.
        sensors: Its sensors, the camera included.
        keys: The keys of its callers.
        workers: Its model workers.
        metrics: Its metrics.
        peers: Its peers by name, in the order of preference.
        profile: Its own measured times.
        backlog: The tasks that it is executing.
        warm: Set once the models of ``preload`` are loaded, or cannot be.
        failure: Why they cannot be loaded, if so.
        draining: Whether it is stopping and accepts no more work.
        requests: Places of the requests that it serves, by caller.
        tracing: Begins the traces of its requests.
    """

    def __init__(
        self,
        config: NodeConfig,
        workers: WorkerPool | None = None,
        peer_clients: Mapping[str, NodeClient] | None = None,
    ) -> None:
        self.config = config
        self.sensors = NodeSensors(config)
        self.camera = self.sensors.camera
        self.keys = KeyRing(config.keys)
        self._refreshing = asyncio.Lock()
        self._models_folder = models_folder()
        self._installed_at = changed_at(self._models_folder)
        self._revisions = installed_revisions()
        self._read_catalogue(_catalogue())
        self.workers = workers or WorkerPool.from_config(config, self._models())
        self.metrics = Metrics(self.workers, config.role)
        clients = peer_clients or {}
        self.peers = {one.name: self._peer(one, clients.get(one.name)) for one in config.peers}
        self.profile = NodeProfile(node=config.name, role=config.role)
        self.backlog = Backlog()
        self._policies: dict[str, OffloadingPolicy] = {}
        self.warm = asyncio.Event()
        self.failure: EdgewrightError | None = None
        self.draining = False
        self.requests = Places(config.limits.concurrency)
        self.tracing = Tracing("edgewright-node", config.name)

    @property
    def ready(self) -> bool:
        """Whether it accepts work."""
        return self.warm.is_set() and self.failure is None and not self.draining

    @property
    def mean_service_s(self) -> float:
        """Mean time that a call of a model takes, in seconds."""
        return self.workers.mean_service_s

    async def refresh(self) -> None:
        """Reload the cards if models were installed or removed; otherwise this is one ``stat``."""
        if changed_at(self._models_folder) == self._installed_at:  # faster than asking a thread
            return
        async with self._refreshing:
            stamp = changed_at(self._models_folder)
            if stamp == self._installed_at:
                return
            revisions = await asyncio.to_thread(installed_revisions)
            self._read_catalogue(await asyncio.to_thread(_catalogue))
            old, self._revisions = self._revisions, revisions
            changed = [name for name in revisions if old.get(name) != revisions[name]]
            await self.workers.offer(self._models(), changed=changed)
            self._installed_at = stamp

    def _read_catalogue(self, catalogue: _Catalogue) -> None:
        self.cards, self._statuses, self._experts, self._sensing = catalogue

    def status(self, card: ToolCard) -> CardStatus:
        """Return whether a card can be carried out here."""
        status = self._statuses[card.id]
        expert = self.sensing_expert(card)
        if expert is None or not expert.kinds or self.sensors.has(expert.kinds):
            return status
        reason = f"this node has no {' or '.join(expert.kinds)}; add one to its 'sensors'"
        return status.model_copy(update={"available": False, "reason": reason})

    def sensing_expert(self, card: ToolCard) -> SensingExpert | None:
        """Return the expert that carries out a card from sensors; None for cards of images."""
        return next((self._sensing[name] for name in card.experts if name in self._sensing), None)

    def experts_for(self, card: ToolCard) -> tuple[Expert, ...]:
        """List the experts that can carry out a card here, best first."""
        return tuple(self._experts[name] for name in card.experts if name in self._experts)

    def revision(self, model: str) -> str:
        """Return the revision of a model as last loaded; empty before that."""
        return str(self.workers.worker(model).description.get("revision", ""))

    def model_profile(self, model: str) -> ModelProfile | None:
        """Return its own times for a model; None if they belong to other weights or codecs."""
        profile = self.profile.models.get(model)
        loaded = self.workers.worker(model).description
        if profile is None or not loaded:
            return profile
        current = (loaded["revision"], loaded.get("encodings", ""))
        return profile if current == (profile.revision, profile.encodings) else None

    def precisions(self, model: str) -> list[Precision]:
        """List the precisions other than ``fp32`` that this node has measured for a model."""
        profile = self.model_profile(model)
        return [one.precision for one in profile.precisions] if profile else []

    def policy(self, model: str) -> OffloadingPolicy:
        """Return the policy for a model's arms, with what it has learned so far."""
        if model not in self._policies:
            self._policies[model] = OffloadingPolicy(
                min_accuracy_retention=self.config.min_accuracy_retention,
                objective=self.config.objective,
                energy=self.config.energy,
                role=self.config.role,
            )
        return self._policies[model]

    def model_label(self, model: str) -> str:
        """Return a model's id and revision, for cost reports."""
        return f"{model}@{self.revision(model)}"

    def current_profile(self) -> NodeProfile:
        """Return the profile with the current load, and the peers with their links and profiles.

        Times of other weights or codecs, which stay on file until they are measured again, are
        left out: with them the node would appear ready to choose arms.
        """
        models = (worker.model for worker in self.workers)
        times = {model: own for model in models if (own := self.model_profile(model))}
        peers = {name: peer.view() for name, peer in self.peers.items()}
        update = {"models": times, "load": self.workers.loads(), "peers": peers}
        return self.profile.model_copy(update=update)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the node's background tasks; stop them and its workers afterwards."""
        tasks = [asyncio.create_task(self._warm_up())]
        tasks += [asyncio.create_task(peer.watch()) for peer in self.peers.values()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for peer in self.peers.values():
                await peer.close()
            await self.workers.close()
            await asyncio.to_thread(self.tracing.close)

    def _models(self) -> list[str]:
        return sorted({expert.model for expert in self._experts.values()})

    def _peer(self, settings: PeerConfig, client: NodeClient | None) -> Peer:
        limits = self.config.limits
        key = settings.api_key.get_secret_value() if settings.api_key else None
        return Peer(
            settings,
            client
            or NodeClient(
                settings.url,
                api_key=key,
                timeout_s=limits.peer_patience_s,
                ca=settings.ca,
                fingerprint=settings.fingerprint,
            ),
            self.config.link_prior,
            self.metrics,
            patience_s=limits.peer_patience_s,
        )

    async def _warm_up(self) -> None:
        try:
            not_fetched = await self._fetch_missing()
            for model in self.config.preload:
                if obstacle := _obstacle(model):
                    raise UnavailableError(
                        f"the model {model!r} in 'preload' cannot be loaded: {obstacle}"
                        f"{not_fetched.get(model, '')}",
                        code="model_not_loaded",
                    )
                await self.workers.load(model)
        except EdgewrightError as error:
            self.failure = error
        except Exception:  # a caller that waits for the ready line must not wait forever
            log.exception("loading failed")
            self.failure = UnavailableError(
                "the models could not be loaded; the node's log has the details",
                code="model_not_loaded",
            )
        if self.failure is None and self.config.measure == "before-ready":
            await self._profile()
        self.warm.set()
        if self.failure is None and self.config.measure != "before-ready":
            await self._profile()

    async def _fetch_missing(self) -> dict[str, str]:
        """Fetch the models of ``preload`` that are not here from the first peer that has them.

        Returns:
            The reasons why it was not possible, by model.
        """
        peers = [peer for peer in self.peers.values() if peer.config.fetch_models]
        reasons: dict[str, str] = {}
        missing = [model for model in self.config.preload if _obstacle(model)]
        if not peers:
            return {}
        for model in missing:
            for peer in peers:
                log.info("fetching %s from %s", model, shown_url(peer.config.url))
                try:
                    await peer.fetch_model(model)
                    reasons.pop(model, None)
                    break
                except EdgewrightError as error:
                    reasons[model] = f"; it could not be fetched from {peer.name}: {error.message}"
        if len(reasons) < len(missing):
            self._read_catalogue(await asyncio.to_thread(_catalogue))
            await self.workers.offer(self._models())
        return reasons

    async def _profile(self) -> None:
        """Read the times that are on file, and measure the missing ones."""
        self.profile = profiling.stored(self.config)
        for model in self.config.preload:
            if self.config.measure != "never" and self.model_profile(model) is None:
                await self._measure(model)

    async def _measure(self, model: str) -> None:
        try:
            measured = await profiling.measure_model(
                self.config, model, idle=lambda: all(worker.idle for worker in self.workers)
            )
            models = {**self.profile.models, model: measured}
            self.profile = self.profile.model_copy(update={"models": models})
            profiling.store(self.config, self.profile)
        except EdgewrightError as error:
            # Without its own times a device still works, alone.
            log.warning("profile of %s: %s", model, error.message)


_Catalogue = tuple[CardRegistry, dict[str, CardStatus], dict[str, Expert], dict[str, SensingExpert]]


def _catalogue() -> _Catalogue:
    """Return the cards, the status of each, and the experts that can run here, of both sorts."""
    cards, statuses = known_cards(), expert_statuses()
    available = {name: expert for name, expert in experts().items() if statuses[name].available}
    sensing = {expert.id: expert for expert in sensing_experts() if statuses[expert.id].available}
    by_card = {status.card.id: status for status in cards.statuses(statuses)}
    return cards, by_card, available, sensing


def _obstacle(model: str) -> str:
    """Return what prevents a model from running here; empty if nothing does."""
    reasons = [one.reason for one in expert_statuses().values() if one.model == model]
    return reasons[0] if reasons and all(reasons) else ""
