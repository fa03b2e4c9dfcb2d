"""Carrying out an invocation: the chosen arm first, then down the ladder.

co-inference → the whole picture to the edge server, if it still answers and the bytes fit →
the rest of the blocks on the device, from the head's exact features → a smaller model on the
device → an error that says what was tried. A device goes on alone with the same weights and
features, so a fallback's result equals that of ``device-only``.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.decision import DEVICE_ONLY, EDGE_ONLY, choose, learn
from edgewright.edge_runtime.execution.invocation import Call
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.peers.peer import Peer
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.cost_report import Fallback
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse
from edgewright.tools.errors import (
    DeadlineError,
    EdgewrightError,
    InputError,
    LinkError,
    NotFoundError,
    TransientError,
    UnavailableError,
)
from edgewright.tools.nodes.client import Transfer

#: What a device needs beside its own computing when it goes on alone, the client's grace included.
_RESERVE_S = 0.5


class _PeerError(Exception):
    """The peer, or the way to it, failed; the cause is the error itself."""

    def __init__(self, cause: EdgewrightError) -> None:
        super().__init__(cause.message)
        self.cause = cause


class Execution:
    """One call on its way down the ladder.

    Args:
        node: This node.
        call: What is to be run.
    """

    def __init__(self, node: Node, call: Call) -> None:
        self._node = node
        self._call = call
        arm = _possible(node, call.arm) if call.arm else choose(node, call).arm
        energy = node.config.energy if node.config.role == "device" else None
        self._bill = CostRecorder(planned=arm, slowdown=node.config.slowdown, energy=energy)
        self._tried: list[Arm] = []
        #: Name of the features that the device still holds; empty when it holds none.
        self._ticket = ""

    async def run(self) -> InvokeResponse:
        """Carry the call out.

        Raises:
            EdgewrightError: The input cannot be used, or nothing on the ladder worked.
        """
        arm: Arm = self._bill.planned
        while True:
            self._tried.append(arm)
            try:
                output, model = await self._attempt(arm)
            except _PeerError as error:
                arm = self._step(arm, error.cause, self._after_peer(arm, error.cause))
            except (TransientError, UnavailableError) as error:
                arm = self._step(arm, error, self._after_own(arm))
            else:
                return self._answered(arm, output, model)

    def _answered(self, arm: Arm, output: dict[str, Any], model: str) -> InvokeResponse:
        """Write the answer, and learn from what it took."""
        bill, worker = self._bill, self._node.workers.worker(self._call.expert.model)
        if not bill.fallback:
            learn(self._node, self._call, arm, bill)
        self._node.metrics.arms.labels(arm.kind).inc()
        return InvokeResponse(
            status="ok",
            output=output,
            report=bill.report(arm, self._call.expert, model),
            load=worker.meter.load() if self._node.config.role == "edge" else None,
        )

    async def _attempt(self, arm: Arm) -> tuple[dict[str, Any], str]:
        """Try one arm; return the output and the model that made it."""
        if arm.kind == "co-inference":
            return await self._co_inference(arm)
        if arm.kind == "edge-only" and self._node.peer is not None:
            return await self._edge_only(arm, self._node.peer)
        return await self._here()

    # -- the ladder ---------------------------------------------------------------------------

    def _step(self, arm: Arm, error: EdgewrightError, down: Arm | None) -> Arm:
        """Write down a step, or give up."""
        info = error.info()
        if down is None or self._call.left_s <= 0:
            raise self._given_up(error)
        self._node.metrics.fallbacks.labels(info.code).inc()
        self._bill.fallback.append(
            Fallback(tried=arm.label, code=info.code, reason=info.message, used=down.label)
        )
        return down

    def _after_peer(self, arm: Arm, error: EdgewrightError) -> Arm | None:
        """Choose what follows when the peer failed."""
        answered = not isinstance(error, LinkError | DeadlineError) and not error.retryable
        if arm.kind == "co-inference" and answered and self._edge_fits():
            return EDGE_ONLY
        return DEVICE_ONLY

    def _after_own(self, arm: Arm) -> Arm | None:
        """Choose what follows when this node's own model failed."""
        if EDGE_ONLY not in self._tried and self._edge_fits():
            return EDGE_ONLY
        if DEVICE_ONLY not in self._tried and self._node.config.role == "device":
            return DEVICE_ONLY
        return self._smaller_model()

    def _smaller_model(self) -> Arm | None:
        """Hand the call to the next of its experts on another model, if one can serve it."""
        for index, expert in enumerate(self._call.experts):
            if expert.model == self._call.expert.model:
                continue
            try:
                expert.check(self._call.args)
            except EdgewrightError:
                continue
            self._call = replace(self._call, experts=self._call.experts[index:])
            return DEVICE_ONLY if self._node.config.role == "device" else EDGE_ONLY
        return None

    def _edge_fits(self) -> bool:
        """Whether the peer is there with the same weights and the picture can reach it in time."""
        peer = self._node.peer
        if peer is None or not peer.link.state().up:
            return False
        theirs = peer.model(self._call.expert.model)
        ours = self._node.revision(self._call.expert.model)
        same = theirs is not None and theirs.revision == ours
        return same and peer.transfer_s(len(self._call.picture)) < self._left_for_peer_s()

    def _given_up(self, error: EdgewrightError) -> EdgewrightError:
        """Return the last error, saying what was tried before it."""
        if not self._bill.fallback:
            return error
        steps = "; ".join(f"{step.tried}: {step.code}" for step in self._bill.fallback)
        return type(error)(
            f"{error.message} (tried before: {steps})",
            code=error.info().code,
            retry_after_s=error.retry_after_s,
        )

    # -- the arms -----------------------------------------------------------------------------

    async def _co_inference(self, arm: Arm) -> tuple[dict[str, Any], str]:
        peer = self._node.peer
        assert peer is not None
        ticket = secrets.token_hex(8)
        frame = await self._coded(
            "head", {"point": arm.point, "ticket": ticket, "codec": arm.codec}
        )
        self._ticket = ticket
        self._bill.frame_bytes = len(frame)
        transfer, stages_ms = Transfer(), {}
        try:
            result = await peer.tail(
                self._call.expert.model,
                frame,
                self._options_for_peer(),
                transfer,
                request_id=self._call.request_id,
            )
            stages_ms = result.stages_ms
        except EdgewrightError as error:
            raise _PeerError(error) from error
        finally:
            self._bill.moved(transfer, stages_ms, peer.name)
        return result.output, result.model

    async def _edge_only(self, arm: Arm, peer: Peer) -> tuple[dict[str, Any], str]:
        picture = self._call.picture
        if arm.image_codec is not None:
            recoding = {"image_codec": arm.image_codec, "quality": arm.quality}
            picture = await self._coded("recode", recoding)
        transfer, stages_ms = Transfer(), {}
        try:
            answer = await peer.invoke(
                self._call.card.id,
                self._call.expert.model,
                picture,
                self._options_for_peer(),
                transfer,
                request_id=self._call.request_id,
            )
            if answer.report is None:
                raise UnavailableError(f"{peer.name} refused what this device accepts")
            stages_ms = answer.report.stages_ms
        except EdgewrightError as error:
            raise _PeerError(error) from error
        finally:
            self._bill.moved(transfer, stages_ms, peer.name)
        return answer.output, answer.report.model

    async def _here(self) -> tuple[dict[str, Any], str]:
        """Run on this node: the rest of the blocks if the features are there, or all of them."""
        expert = self._call.expert
        parameters = {"expert": expert.id, "args": self._call.args}
        ticket, self._ticket = self._ticket, ""
        if ticket:
            try:
                answer = await self._worker("resume", {**parameters, "ticket": ticket})
                self._bill.head_reused = True
                return answer[0]["output"], self._node.model_label(expert.model)
            except NotFoundError:
                pass  # the process that held the features was replaced meanwhile
        answer = await self._worker("whole", parameters, self._call.picture)
        return answer[0]["output"], self._node.model_label(expert.model)

    async def _coded(self, operation: str, parameters: dict[str, Any]) -> bytes:
        _, coded = await self._worker(operation, parameters, self._call.picture)
        return coded

    async def _worker(
        self, operation: str, parameters: dict[str, Any], blob: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        header, answer = await self._node.workers.call(
            self._call.expert.model, operation, parameters, blob, deadline=self._call.deadline
        )
        self._bill.computed(self._node.config.name, header["stages_ms"])
        return header, answer

    def _options_for_peer(self) -> InvokeOptions:
        return InvokeOptions(
            args=self._call.args,
            expert=self._call.expert.id,
            deadline_s=max(0.001, self._left_for_peer_s()),
        )

    def _left_for_peer_s(self) -> float:
        """Return the time that the peer may take and still leave the device enough."""
        profile = self._node.model_profile(self._call.expert.model)
        left_s = self._call.left_s
        if profile is None:
            return left_s / 2
        return left_s - 1.5 * profile.whole_ms / 1000 - _RESERVE_S


def _possible(node: Node, arm: Arm) -> Arm:
    """Check an arm that a caller fixed.

    Raises:
        InputError: This node cannot take it (``arm_not_possible``).
    """
    if node.config.role == "edge":
        if arm != EDGE_ONLY:
            raise InputError(
                "an edge server runs the whole model itself; fix no arm", code="arm_not_possible"
            )
        return arm
    if arm.kind != "device-only" and node.peer is None:
        raise InputError(
            f"{arm.label} needs an edge peer, and this device has none; set 'peer' in its "
            "configuration",
            code="arm_not_possible",
        )
    if arm.kind == "co-inference" and arm.point is None:
        raise InputError(
            "co-inference needs a partition point; give 'point'", code="arm_not_possible"
        )
    return arm
