"""What a device learns from cost reports: how far stages and sizes are off their profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import (
    BLOCKS,
    PREPROCESS,
    ProfiledArm,
    codec_of,
    decoding,
    encoding,
)
from edgewright.tools.offload.choice import Situation
from edgewright.tools.offload.factors import Ratio, StageFactors
from edgewright.tools.offload.tracking import NOISE

#: Relative error of a profile: the node's speed may have changed since it was measured.
_PROFILE_ERROR = 0.2
#: Relative error of a single stage, such as decoding images from another program.
_STAGE_ERROR = 0.15
#: Relative error of an encoding's size, which depends on the image.
_SIZE_ERROR = 0.2
#: An encoding's size grows with this power of the original's bytes per pixel, and this factor is
#: limited, since an original may be stored wastefully.
_DETAIL_POWER, _MAX_DETAIL = 0.5, 3.0

#: Error of a measured stage in milliseconds, besides its relative error.
_TIMER_MS = 0.2

#: Stages of a cost report that are no computing of blocks; each network of an expert that looks at
#: whole images is a stage of its own.
_NO_BLOCKS = frozenset({"decode", "preprocess", "encode", "link_wait", "upload", "download"})
_EDGE = "edge_"
_DECODING_OF_EDGE = ("edge_tail_decode", "edge_decode", "edge_preprocess")
#: What the peer does besides, and what it reports of a peer of its own.
_NO_BLOCKS_OF_EDGE = (
    *_DECODING_OF_EDGE,
    *(f"{_EDGE}{stage}" for stage in _NO_BLOCKS),
    f"{_EDGE}other",
    f"{_EDGE}{_EDGE}",
)


class Corrections:
    """Learned corrections of a model's profiles.

    Each node has a factor for each stage and one for all stages together. The blocks of experts
    that run networks of their own choice are stages of each expert. Sizes have them for
    each type of image, by codec: what a camera produces differs from what a person sends.
    """

    def __init__(self) -> None:
        self._device = StageFactors(error=_PROFILE_ERROR, own_error=_STAGE_ERROR)
        self._peers: dict[str | None, StageFactors] = {}
        self._sizes: dict[str, StageFactors] = {}

    def input_ms(self, situation: Situation) -> float:
        """Return the time for the device to decode and resize the image."""
        decode_ms = situation.decode_ms * self._device.of(decoding(situation.mime))
        return decode_ms + situation.resize_ms * self._device.of(PREPROCESS)

    def device_ms(self, situation: Situation, one: ProfiledArm) -> float:
        """Return an arm's time on the device after the image is resized."""
        stages = _of_expert(situation, situation.device, one.device_stages)
        return sum(ms * self._device.of(stage) for stage, ms in stages.items())

    def edge_ms(self, situation: Situation, one: ProfiledArm) -> float:
        """Return an arm's time on its peer."""
        factors, stages = self._peer(one.arm), _of_expert(situation, *_at_peer(situation, one))
        return sum(ms * factors.of(stage) for stage, ms in stages.items())

    def bytes_up(self, one: ProfiledArm, mime: str) -> float:
        """Return the bytes that an arm sends for an image with usual detail.

        Args:
            one: The arm.
            mime: Type of the image.
        """
        return one.bytes_up * self._sizes_of(mime).of(codec_of(one.arm))

    def detail(self, situation: Situation) -> float:
        """Return the factor by which the image's encodings are larger than usual."""
        factor: float = situation.detail**_DETAIL_POWER
        return min(max(factor, 1 / _MAX_DETAIL), _MAX_DETAIL)

    def observe(
        self,
        situation: Situation,
        one: ProfiledArm,
        stages_ms: Mapping[str, float],
        *,
        bytes_up: int,
    ) -> None:
        """Learn from a completed task.

        Args:
            situation: The profiles and the image.
            one: The arm that was taken.
            stages_ms: Milliseconds by stage, as in the cost report.
            bytes_up: Bytes sent; 0 if there were none.
        """
        mime, codec = situation.mime, codec_of(one.arm)
        profiled = _of_expert(situation, situation.device, one.device_stages)
        profiled[PREPROCESS] = profiled.get(PREPROCESS, 0.0) + situation.resize_ms
        profiled[decoding(mime)] = situation.decode_ms
        own = _of_expert(
            situation, situation.device, _device_stages(stages_ms, one.arm, mime), scaled=False
        )
        self._device.update(_ratios(own, profiled))
        profile, at_peer = _at_peer(situation, one)
        theirs = _of_expert(situation, profile, _edge_stages(stages_ms, one.arm), scaled=False)
        profiled = _of_expert(situation, profile, at_peer)
        self._peer(one.arm).update(_ratios(theirs, profiled, _spread(situation, one.arm)))
        for name, factors in self._peers.items():
            if name != one.arm.peer:
                factors.fade()
        if min(bytes_up, one.bytes_up) > 0:
            usual = one.bytes_up * self.detail(situation)
            self._sizes_of(mime).update({codec: Ratio(bytes_up, usual, noise=_SIZE_ERROR)})

    def _peer(self, arm: Arm) -> StageFactors:
        if arm.peer not in self._peers:
            self._peers[arm.peer] = StageFactors(error=_PROFILE_ERROR, own_error=_STAGE_ERROR)
        return self._peers[arm.peer]

    def _sizes_of(self, mime: str) -> StageFactors:
        if mime not in self._sizes:
            self._sizes[mime] = StageFactors(error=_SIZE_ERROR, own_error=_SIZE_ERROR)
        return self._sizes[mime]


def reported_stages(
    situation: Situation, one: ProfiledArm, device: float, peer: float
) -> dict[str, float]:
    """Return the stages that the cost report of a simulated task would have, in milliseconds.

    Args:
        situation: The device's profile, and the image.
        one: The arm that was taken.
        device: Factor by which the device is slower than its profile.
        peer: The same for the peer.
    """
    ours, theirs, codec = one.device_stages, one.edge_stages, codec_of(one.arm)
    cut = one.arm.kind == "co-inference"
    stages = {
        "decode": device * situation.decode_ms,
        "preprocess": device * (situation.resize_ms + ours.get(PREPROCESS, 0.0)),
        "head" if cut else "whole": device * ours.get(BLOCKS, 0.0),
        "encode": device * ours.get(encoding(codec), 0.0),
        "edge_tail_decode" if cut else "edge_decode": peer * theirs.get(decoding(codec), 0.0),
        "edge_tail" if cut else "edge_whole": peer * theirs.get(BLOCKS, 0.0),
    }
    return {name: ms for name, ms in stages.items() if ms}


def _at_peer(
    situation: Situation, one: ProfiledArm
) -> tuple[ModelProfile | None, Mapping[str, float]]:
    """Return the profile of an arm's peer, and its profiled times there by stage."""
    server = situation.peers.get(one.arm.peer) if one.arm.peer else None
    return (server.profile if server else None), one.edge_stages


def _of_expert(
    situation: Situation,
    profile: ModelProfile | None,
    stages_ms: Mapping[str, float],
    *,
    scaled: bool = True,
) -> dict[str, float]:
    """Return times by stage with the blocks of the task's expert instead of any expert's.

    Args:
        situation: The task.
        profile: Profile of the node that spends the time; None if there is none.
        stages_ms: Times by stage.
        scaled: Whether the blocks' time is that of the profile, or the expert's already.
    """
    found = dict(stages_ms)
    if profile is not None and profile.experts_ms and BLOCKS in found:
        share = profile.share_of(situation.expert) if scaled else 1.0
        found[f"{BLOCKS} {situation.expert}"] = found.pop(BLOCKS) * share
    return found


def _device_stages(stages_ms: Mapping[str, float], arm: Arm, mime: str) -> dict[str, float]:
    """Return the device's measured times by stage.

    Args:
        stages_ms: Stages of a cost report.
        arm: The arm that was taken.
        mime: Type of the image.
    """
    found = {
        decoding(mime): stages_ms.get("decode", 0.0),
        PREPROCESS: stages_ms.get("preprocess", 0.0),
        BLOCKS: sum(
            ms
            for stage, ms in stages_ms.items()
            if stage not in _NO_BLOCKS and not stage.startswith(_EDGE)
        ),
        encoding(codec_of(arm)): stages_ms.get("encode", 0.0),
    }
    return {stage: ms for stage, ms in found.items() if ms > 0}


def _edge_stages(stages_ms: Mapping[str, float], arm: Arm) -> dict[str, float]:
    """Return the peer's measured times by stage; see ``_device_stages``."""
    found = {
        decoding(codec_of(arm)): sum(stages_ms.get(one, 0.0) for one in _DECODING_OF_EDGE),
        BLOCKS: sum(
            ms
            for stage, ms in stages_ms.items()
            if stage.startswith(_EDGE) and not stage.startswith(_NO_BLOCKS_OF_EDGE)
        ),
    }
    return {stage: ms for stage, ms in found.items() if ms > 0}


def _spread(situation: Situation, arm: Arm) -> float:
    """Return by how much single times of a peer spread around their mean, as it reports them."""
    server = situation.peers.get(arm.peer) if arm.peer else None
    return math.sqrt(server.load.service_scv) if server and server.load else 0.0


def _ratios(
    measured: Mapping[str, float], profiled: Mapping[str, float], spread: float = 0.0
) -> dict[str, Ratio]:
    """Compare measured with profiled times, for the stages that both have."""
    return {
        stage: Ratio(ms, profiled[stage], noise=math.hypot(NOISE, _TIMER_MS / ms, spread))
        for stage, ms in measured.items()
        if profiled.get(stage, 0.0) > 0
    }
