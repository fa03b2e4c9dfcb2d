"""Picks the arm: every way to run a task is weighed with measured times and the live link."""

from __future__ import annotations

from typing import Protocol

from edgewright.tools.nodes.schema import (
    Arm,
    Decision,
    Forecast,
    ImageCodecProfile,
    LinkState,
    ModelProfile,
    PointProfile,
)

#: Length of an edge server's answer, which takes its time on the link too.
_ANSWER_BYTES = 1000
_DEVICE_ONLY = Arm(kind="device-only")


class PictureSize(Protocol):
    """Size of the picture that is to be worked on."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...


def decide(
    *,
    device: ModelProfile,
    edge: ModelProfile | None,
    link: LinkState | None,
    image: PictureSize | None,
    deadline_ms: float | None,
    min_agreement: float,
) -> Decision:
    """Choose the fastest arm among those that keep enough accuracy.

    Device-only, edge-only with each image codec and co-inference at each point are all weighed.
    Before the first transfer the link is only guessed at; then the fastest remote arm is taken if
    the deadline leaves room for it, because only a transfer can tell what the link can do.

    Args:
        device: The device's profile of the model, its slow-down included.
        edge: The edge server's; None when it has none or there is no edge server.
        link: The link between them; None without an edge server.
        image: Size of the picture; None when it is like those that the profile was measured with.
        deadline_ms: Time that is left for the task; None means no limit.
        min_agreement: Least share of the accuracy that an arm must keep.
    """
    weighing = _Weighing(device, edge, link, image, min_agreement)
    forecasts = sorted(weighing.forecasts(), key=_order)
    best = forecasts[0]
    remote = next((one for one in forecasts if one.arm.kind != "device-only"), None)
    reason = weighing.reason(best, forecasts)
    if (
        link is not None
        and not link.samples
        and remote is not None
        and remote.latency_ms is not None
        and remote.latency_ms <= (deadline_ms or remote.latency_ms)
    ):
        best = remote
        reason = (
            f"{weighing.words(best)} on the configured link; nothing was sent over it yet, and "
            "trying is the only way to learn its rate"
        )
    assert best.latency_ms is not None  # device-only can always be used
    if deadline_ms is not None and best.latency_ms > deadline_ms:
        reason += f"; no arm is expected to meet the deadline of {deadline_ms:.0f} ms"
    return Decision(
        arm=best.arm, reason=reason, forecasts=forecasts, link=link, deadline_ms=deadline_ms
    )


class _Weighing:
    """The forecasts for one task, and the words for them."""

    def __init__(
        self,
        device: ModelProfile,
        edge: ModelProfile | None,
        link: LinkState | None,
        image: PictureSize | None,
        min_agreement: float,
    ) -> None:
        self._device = device
        self._edge = edge
        self._link = link
        self._min_agreement = min_agreement
        self._names = {one.point: one.name for one in device.points}
        size = image.width * image.height / device.preprocess_pixels if image else 1.0
        self._input_ms = device.preprocess_ms * size
        self._obstacle = self._remote_obstacle()

    def forecasts(self) -> list[Forecast]:
        """Forecast every arm."""
        blocks_ms = [block.ms for block in self._device.blocks]
        alone_ms = self._input_ms + sum(blocks_ms) + self._device.finish_ms
        forecasts = [Forecast(arm=_DEVICE_ONLY, latency_ms=alone_ms, bytes_up=0)]
        for codec in self._device.image_codecs:
            arm = Arm(kind="edge-only", image_codec=codec.image_codec, quality=codec.quality)
            ms = self._input_ms + codec.encode_ms
            forecasts.append(self._remote(arm, codec, codec.bytes, ms, start=0))
        for point in self._device.points:
            arm = Arm(kind="co-inference", point=point.point, codec=point.codec)
            ms = self._input_ms + sum(blocks_ms[: point.point]) + point.encode_ms
            forecasts.append(self._remote(arm, point, point.frame_bytes, ms, start=point.point))
        return forecasts

    def _remote(
        self,
        arm: Arm,
        coded: ImageCodecProfile | PointProfile,
        size: int,
        device_ms: float,
        *,
        start: int,
    ) -> Forecast:
        unusable = self._obstacle or self._inaccuracy(coded.agreement)
        if unusable or self._edge is None or self._link is None:
            return Forecast(arm=arm, latency_ms=None, bytes_up=size, unusable=unusable)
        # A kilobyte a second is a byte a millisecond.
        link_ms = self._link.rtt_ms + (size + _ANSWER_BYTES) / self._link.rate_kb_per_s
        edge_ms = (
            _decode_ms(self._edge, arm)
            + sum(block.ms for block in self._edge.blocks[start:])
            + self._edge.finish_ms
        )
        return Forecast(arm=arm, latency_ms=device_ms + link_ms + edge_ms, bytes_up=size)

    def _inaccuracy(self, agreement: float) -> str:
        """Say why coding costs too much accuracy; empty if it does not."""
        if agreement < self._min_agreement:
            return (
                f"it keeps {agreement:.1%} of the accuracy and "
                f"{self._min_agreement:.1%} are asked for"
            )
        return ""

    def _remote_obstacle(self) -> str:
        """Say what keeps all work on the device; empty if nothing does."""
        if self._link is None:
            return "no edge server is configured"
        if not self._link.up:
            return "the edge server could not be reached just now"
        if self._edge is None:
            return "the edge server has not measured this model yet"
        if self._edge.revision != self._device.revision:
            return "the edge server has other weights of this model"
        return ""

    def reason(self, best: Forecast, forecasts: list[Forecast]) -> str:
        """Say why an arm is best: against the best of the other kinds, or why there is none."""
        if self._obstacle:
            return f"{self.words(best)}, and {self._obstacle}"
        others = []
        kinds = {best.arm.kind}
        for other in forecasts:
            if other.arm.kind not in kinds and other.latency_ms is not None:
                kinds.add(other.arm.kind)
                others.append(f"{other.latency_ms:.0f} ms {self._short(other)}")
        if not others:
            return f"{self.words(best)}, and no other arm keeps enough accuracy"
        return f"{self.words(best)}, against {' and '.join(others)}"

    def words(self, forecast: Forecast) -> str:
        """Say what an arm does and how long it should take."""
        arm, size = forecast.arm, _kilobytes(forecast.bytes_up)
        if arm.point is not None:
            what = f"co-inference after {self._names[arm.point]} sends {size}"
        elif arm.image_codec is not None:
            what = f"the edge server alone gets {size} of {_title(arm)}"
        else:
            what = "the device alone sends nothing"
        return f"{what}: {forecast.latency_ms:.0f} ms expected"

    def _short(self, forecast: Forecast) -> str:
        arm = forecast.arm
        if arm.point is not None:
            return f"cut after {self._names[arm.point]} ({_kilobytes(forecast.bytes_up)})"
        if arm.image_codec is not None:
            return f"sending {_kilobytes(forecast.bytes_up)} of {_title(arm)}"
        return "on the device"


def _order(forecast: Forecast) -> tuple[bool, float]:
    """Usable arms first, the fastest of them foremost."""
    return forecast.latency_ms is None, forecast.latency_ms or 0.0


def _decode_ms(edge: ModelProfile, arm: Arm) -> float:
    """Return how long the edge server decodes what an arm sends."""
    if arm.image_codec is not None:
        return next(
            (
                one.decode_ms
                for one in edge.image_codecs
                if (one.image_codec, one.quality) == (arm.image_codec, arm.quality)
            ),
            edge.preprocess_ms,
        )
    return next((one.decode_ms for one in edge.points if one.point == arm.point), 0.0)


def _title(arm: Arm) -> str:
    names = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP"}
    return names[arm.image_codec] if arm.image_codec else ""


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} KB" if size < 10_000 else f"{size / 1000:.0f} KB"
