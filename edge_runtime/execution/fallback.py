"""Executing an invocation: the chosen arm first, then the fallback chain.

co-inference → the whole image to the same peer, if it still answers and the bytes fit → the
remaining blocks here, from the head's exact features, or else what is best without the peer:
another peer, or this node → a smaller model here → an error that lists the attempts. All nodes have
the same weights, so the result of a fallback equals that of ``device-only``, in ``int8`` but for
rounding.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.decision import (
    EDGE_ONLY,
    choose,
    executed_arm,
    learn,
    local_arm,
)
from edgewright.edge_runtime.execution.first_arm import planned
from edgewright.edge_runtime.execution.invocation import Call
from edgewright.edge_runtime.execution.pixels import in_pixels
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.peers.peer import Peer
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.cost_report import Fallback
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.errors import (
    DeadlineError,
    EdgewrightError,
    LinkError,
    NotFoundError,
    RefusedError,
    TransientError,
    UnavailableError,
)
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.offload.backlog import RunningTask

#: Time that a device needs besides its own computing to finish alone, the client's grace included.
_RESERVE_S = 0.5


class _PeerError(Exception):
    """The peer or the link to it failed; wraps the actual error."""

    def __init__(self, cause: EdgewrightError) -> None:
        super().__init__(cause.message)
        self.cause = cause


class Execution:
    """The execution of one call, with its fallback chain.

    Args:
        node: This node.
        call: The call.
    """

    def __init__(self, node: Node, call: Call) -> None:
        self._node = node
        self._call = call
        arm, costs = planned(node, call)
        energy = node.config.energy if node.config.role == "device" else None
        self._expected = costs
        self._task: RunningTask
        self._costs = CostRecorder(planned=arm, slowdown=node.config.slowdown, energy=energy)
        self._tried: list[Arm] = []
        #: Names of the peers that have failed.
        self._failed: set[str] = set()
        #: Ticket of the features that the device still holds; empty if it holds none.
        self._ticket = ""

    async def run(self) -> InvokeResponse:
        """Execute the call.

        Raises:
            EdgewrightError: The input cannot be used, or every step of the chain failed.
        """
        with self._node.backlog.running(self._expected) as task:
            self._task = task
            try:
                return await self._run(self._costs.planned)
            finally:
                self._node.metrics.spent(self._costs.stages_ms, self._costs.energy_j)

    async def _run(self, arm: Arm) -> InvokeResponse:
        while True:
            self._tried.append(arm)
            try:
                output, model = await self._attempt(arm)
            except RefusedError as error:  # no other arm would know it either
                return InvokeResponse(status="refused", error=error.info())
            except _PeerError as error:
                arm = self._fall_back(arm, error.cause, self._after_peer(arm, error.cause))
            except (TransientError, UnavailableError) as error:
                arm = self._fall_back(arm, error, self._after_own(arm))
            else:
                return self._response(arm, output, model)

    def _response(self, arm: Arm, output: dict[str, Any], model: str) -> InvokeResponse:
        """Return the response, and learn from the costs."""
        costs, worker = self._costs, self._node.workers.worker(self._call.expert.model)
        if not costs.fallback:
            learn(self._node, self._call, arm, costs)
        self._node.metrics.arms(arm.kind, arm.peer or "").inc()
        return InvokeResponse(
            status="ok",
            output=in_pixels(output, self._call.image),
            report=costs.report(arm, self._call.expert, model, self._engines()),
            load=worker.meter.load() if self._node.config.role != "device" else None,
        )

    def _engines(self) -> dict[str, EngineInfo]:
        """Return the engines that run the model, by the names of their nodes."""
        model, engines = self._call.expert.model, {}
        if described := self._node.workers.worker(model).description.get("engine"):
            engines[self._node.config.name] = EngineInfo.model_validate(described)
        for name, peer in self._node.peers.items():
            if (profile := peer.model(model)) is not None:
                engines[name] = profile.engine
        return engines

    async def _attempt(self, arm: Arm) -> tuple[dict[str, Any], str]:
        """Try one arm; return the output and the model that produced it."""
        if arm.peer is None:
            return await self._locally(arm)
        peer = self._node.peers[arm.peer]
        if arm.kind == "co-inference":
            return await self._co_inference(arm, peer)
        return await self._edge_only(arm, peer)

    # -- the fallback chain -------------------------------------------------------------------

    def _fall_back(self, arm: Arm, error: EdgewrightError, following: Arm | None) -> Arm:
        """Record a step of the chain and return the next arm; raise if there is none."""
        info = error.info()
        if following is None or self._call.left_s <= 0:
            raise self._final_error(error)
        self._node.metrics.fallbacks(info.code).inc()
        self._costs.fallback.append(
            Fallback(tried=arm.label, code=info.code, reason=info.message, used=following.label)
        )
        return following

    def _after_peer(self, arm: Arm, error: EdgewrightError) -> Arm | None:
        """Return the next arm after the peer failed."""
        assert arm.peer is not None
        reachable = not isinstance(error, LinkError | DeadlineError) and not error.retryable
        whole = EDGE_ONLY.model_copy(update={"peer": arm.peer})
        if arm.kind == "co-inference" and reachable and self._fits(whole):
            return whole
        self._failed.add(arm.peer)
        if self._ticket:  # the remaining blocks run on the head's features, at its precision
            return local_arm(self._node, arm.precision)
        chosen = choose(self._node, self._call, self._failed)
        return executed_arm(self._node, chosen.arm)

    def _after_own(self, arm: Arm) -> Arm | None:
        """Return the next arm after this node's own model failed."""
        for name in self._node.peers:
            whole = EDGE_ONLY.model_copy(update={"peer": name})
            if whole not in self._tried and self._fits(whole):
                return whole
        if (here := local_arm(self._node)) not in self._tried:
            return here
        return self._smaller_model()

    def _smaller_model(self) -> Arm | None:
        """Switch to the next expert on another model, if one accepts the call."""
        for index, expert in enumerate(self._call.experts):
            if expert.model == self._call.expert.model:
                continue
            try:
                expert.check(self._call.args)
            except EdgewrightError:
                continue
            self._call = replace(self._call, experts=self._call.experts[index:])
            return local_arm(self._node)
        return None

    def _fits(self, whole: Arm) -> bool:
        """Whether a peer may see the image, has the same weights, and can be reached in time."""
        assert whole.peer is not None
        peer = self._node.peers[whole.peer]
        if not peer.state.up or peer.config.receives != "images":
            return False
        if self._node.config.role != "device" and not self._call.forward:
            return False
        profile = peer.model(self._call.expert.model)
        own_revision = self._node.revision(self._call.expert.model)
        same_weights = profile is not None and profile.revision == own_revision
        return same_weights and peer.transfer_s(len(self._call.image)) < self._left_for_peer_s()

    def _final_error(self, error: EdgewrightError) -> EdgewrightError:
        """Return the last error, with the earlier attempts in its message."""
        if not self._costs.fallback:
            return error
        steps = "; ".join(f"{step.tried}: {step.code}" for step in self._costs.fallback)
        return type(error)(
            f"{error.message} (tried before: {steps})",
            code=error.info().code,
            retry_after_s=error.retry_after_s,
        )

    # -- the arms -----------------------------------------------------------------------------

    async def _co_inference(self, arm: Arm, peer: Peer) -> tuple[dict[str, Any], str]:
        ticket = secrets.token_hex(8)
        frame = await self._encoded(
            "head",
            {"point": arm.point, "ticket": ticket, "codec": arm.codec, "precision": arm.precision},
        )
        self._ticket = ticket
        self._costs.frame_bytes = len(frame)
        self._node.backlog.computed(self._task)
        transfer, stages_ms = Transfer(), {}
        try:
            result = await peer.tail(
                self._call.expert.model,
                frame,
                self._options_for(peer, arm),
                transfer,
            )
            stages_ms = result.stages_ms
        except EdgewrightError as error:
            raise _PeerError(error) from error
        finally:
            self._costs.moved(transfer, stages_ms, peer.config)
        return result.output, result.model

    async def _edge_only(self, arm: Arm, peer: Peer) -> tuple[dict[str, Any], str]:
        image = self._call.image
        if arm.image_codec is not None:
            codec = {"image_codec": arm.image_codec, "quality": arm.quality}
            image = await self._encoded("recode", codec)
        self._node.backlog.computed(self._task)
        transfer, stages_ms = Transfer(), {}
        try:
            response = await peer.invoke(
                self._call.card.id,
                self._call.expert.model,
                image,
                self._options_for(peer, arm),
                transfer,
            )
            if response.status == "refused" and response.error is not None:
                raise RefusedError(response.error.message, code=response.error.code)
            if response.report is None:
                raise UnavailableError(
                    f"{peer.name} refused a request that this node accepts; run the same release "
                    "of Edgewright on both nodes"
                )
            stages_ms = response.report.stages_ms
            self._costs.cached = response.report.cached
        except RefusedError:
            raise
        except EdgewrightError as error:
            raise _PeerError(error) from error
        finally:
            self._costs.moved(transfer, stages_ms, peer.config)
        self._costs.passed_on(response.report, peer.name, peer.profile)
        return response.output, response.report.model

    async def _locally(self, arm: Arm) -> tuple[dict[str, Any], str]:
        """Run on this node: the remaining blocks if the features are cached, or all of them."""
        expert = self._call.expert
        parameters = {"expert": expert.id, "args": self._call.args}
        ticket, self._ticket = self._ticket, ""
        if ticket:
            try:
                header, _ = await self._worker("resume", {**parameters, "ticket": ticket})
                self._costs.head_reused = True
                return header["output"], self._node.model_label(expert.model)
            except NotFoundError:
                pass  # the process that held the features was replaced in the meantime
        if arm.precision != "fp32":
            parameters["precision"] = arm.precision
        header, _ = await self._worker("whole", parameters, self._call.image)
        self._costs.cached = header.get("cached", [])
        return header["output"], self._node.model_label(expert.model)

    async def _encoded(self, operation: str, parameters: dict[str, Any]) -> bytes:
        _, encoded = await self._worker(operation, parameters, self._call.image)
        return encoded

    async def _worker(
        self, operation: str, parameters: dict[str, Any], blob: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        header, answer = await self._node.workers.call(
            self._call.expert.model,
            operation,
            parameters,
            blob,
            caller=self._call.caller,
            deadline=self._call.deadline,
        )
        self._costs.computed(self._node.config.name, header["stages_ms"])
        return header, answer

    def _options_for(self, peer: Peer, arm: Arm) -> InvokeOptions:
        quantised = arm.precision != "fp32"
        return InvokeOptions(
            args=self._call.args,
            expert=self._call.expert.id,
            arm=Arm(kind="edge-only", precision=arm.precision) if quantised else None,
            deadline_s=max(0.001, self._left_for_peer_s()),
            # A task is passed on once, so that it cannot go in circles.
            forward=peer.config.forwards and self._node.config.role == "device",
        )

    def _left_for_peer_s(self) -> float:
        """Return the time that a peer may take so that this node can still finish alone.

        It is half of it at least: a profile may say more than it takes, and a peer that the policy
        chose is the better hope. A node that could not finish in time anyway leaves all of it to
        the peer, or half of it if there is another one.
        """
        profile = self._node.model_profile(self._call.expert.model)
        left_s = self._call.left_s
        if profile is None:
            return left_s / 2
        spare_s = left_s - 1.5 * profile.whole_ms / 1000 - _RESERVE_S
        if spare_s > 0:
            return max(spare_s, left_s / 2)
        used = self._failed | {arm.peer for arm in self._tried}
        others = (one for name, one in self._node.peers.items() if name not in used)
        return left_s / 2 if any(one.state.up for one in others) else left_s
