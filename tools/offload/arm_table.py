"""The arms of a model as columns of times and bytes."""

from __future__ import annotations

import numpy as np

from edgewright.tools.contracts.arms import Arm, server_words
from edgewright.tools.contracts.profiles import Receives, Role
from edgewright.tools.offload.arms import ProfiledArm, profiled_arms
from edgewright.tools.offload.choice import FloatArray, Situation
from edgewright.tools.offload.corrections import Corrections

#: Assumed size of a server's response, which takes time on the link too.
_ANSWER_BYTES = 1000
_HOUR_MS = 3_600_000


class ArmTable:
    """The arms of a model as columns, local ones first; computed once for many choices.

    Attributes:
        local: Number of arms that stay on the node.
        parts: The arms of each peer.
        price_per_ms: Price of a millisecond of the peer's computing.
        corrected_for: Type of image and expert for which the columns below hold; None before the
            first choice and after something was learned.
        device_ms: Time on the node after the image is resized.
        edge_ms: Time on the peer.
        bytes_up: Bytes sent.
        bytes_down: Bytes received.
    """

    def __init__(self, situation: Situation, min_accuracy_retention: float, role: Role) -> None:
        self._device, self._peers = situation.device, dict(situation.peers)
        profiles = {name: server.profile for name, server in situation.peers.items()}
        always, *others = profiled_arms(situation.device, profiles, role=role)
        self.arms = [always]
        self.excluded: list[tuple[ProfiledArm, str]] = []
        for one in others:
            receives = situation.peers[one.arm.peer].receives if one.arm.peer else "images"
            if why := _exclusion_reason(one, min_accuracy_retention, receives):
                self.excluded.append((one, why))
            else:
                self.arms.append(one)
        self.position = {one.arm: index for index, one in enumerate(self.arms)}
        self.local = sum(one.arm.peer is None for one in self.arms)
        self.parts: dict[str, slice] = {}
        start = self.local
        for name in profiles:
            stop = start + sum(one.arm.peer == name for one in self.arms)
            self.parts[name] = slice(start, stop)
            start = stop
        answers = [0 if index < self.local else _ANSWER_BYTES for index in range(len(self.arms))]
        self.bytes_down: FloatArray = np.array(answers, float)
        self.price_per_ms: FloatArray = np.zeros(len(self.arms))
        for name, part in self.parts.items():
            self.price_per_ms[part] = situation.peers[name].price_per_hour / _HOUR_MS
        self.corrected_for: tuple[str, str] | None = None

    def holds_for(self, situation: Situation) -> bool:
        """Return whether the profiles and peers are still those of the table."""
        if self._device is not situation.device or self._peers.keys() != situation.peers.keys():
            return False
        return all(
            one.profile is self._peers[name].profile
            and one.receives == self._peers[name].receives
            and one.price_per_hour == self._peers[name].price_per_hour
            for name, one in situation.peers.items()
        )

    def correct(self, corrections: Corrections, situation: Situation) -> None:
        """Compute the columns from profiles and corrections, unless they hold already.

        Args:
            corrections: What was learned.
            situation: The task.
        """
        mime, task = situation.mime, (situation.mime, situation.expert)
        if self.corrected_for == task:
            return
        self.device_ms = np.array([corrections.device_ms(situation, one) for one in self.arms])
        self.edge_ms = np.array([corrections.edge_ms(situation, one) for one in self.arms])
        self._usual_bytes = np.array([corrections.bytes_up(one, mime) for one in self.arms])
        self.corrected_for = task

    def resize(self, detail: float) -> None:
        """Set the bytes of each arm for an image.

        Args:
            detail: Factor by which the image's encodings are larger than usual.
        """
        self.bytes_up = self._usual_bytes * detail

    def without(
        self, peer: str, latency_ms: FloatArray, cost: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return latencies and costs of which those of a peer are infinite."""
        elsewhere_ms, elsewhere = latency_ms.copy(), cost.copy()
        elsewhere_ms[self.parts[peer]] = elsewhere[self.parts[peer]] = np.inf
        return elsewhere_ms, elsewhere

    def find(self, arm: Arm) -> ProfiledArm | None:
        """Return the entry of an arm; None if it is never chosen."""
        index = self.position.get(arm)
        return None if index is None else self.arms[index]


def _exclusion_reason(one: ProfiledArm, min_accuracy_retention: float, receives: Receives) -> str:
    """Return why an arm is never chosen; empty if it may be."""
    server = server_words(one.arm.peer)
    if one.arm.kind == "edge-only" and receives != "images":
        return f"{server} may not receive images"
    if one.accuracy_retention < min_accuracy_retention:
        return (
            f"its accuracy retention is {one.accuracy_retention:.1%}, below the minimum of "
            f"{min_accuracy_retention:.1%}"
        )
    return f"{server} does not have this {one.missing}" if one.missing else ""
