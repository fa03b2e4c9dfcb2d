"""Panels that show what answers from sensors rest on: rates, shares of use, the chest's motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright.agents.responder.result import TaskResult

_WIDTH, _HEIGHT, _MARGIN = 480, 360, 24
_INK, _PALE, _BAR, _LINE = (38, 50, 56), (207, 216, 220), (25, 118, 210), (194, 24, 91)
_ROW = 26


def sensing_panel(result: TaskResult) -> Image.Image | None:
    """Return a panel for a result that rests on sensors; None for any other.

    Args:
        result: The result.
    """
    labels, evidence = result.output.get("labels"), result.output.get("evidence")
    if not isinstance(labels, list) or not isinstance(evidence, dict):
        return None
    panel = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(panel)
    draw.text((_MARGIN, 10), str(result.output.get("source", result.tool)), _INK, _font(18))
    below = _bars(draw, 44, {str(one["label"]): float(one["score"]) for one in labels[:6]})
    if usage := evidence.get("usage"):
        draw.text((_MARGIN, below + 6), "share of the time of use", _INK, _font(13))
        _bars(draw, below + 28, dict(list(usage.items())[:6]))
    elif wave := evidence.get("chest_mm"):
        _wave(draw, below, wave, evidence)
    elif weights := evidence.get("weights"):
        draw.text((_MARGIN, below + 6), "weight of each source", _INK, _font(13))
        _bars(draw, below + 28, weights)
    return panel


def _bars(draw: ImageDraw.ImageDraw, top: int, values: Mapping[str, Any]) -> int:
    """Draw a bar for each value from 0 to 1; return where they end."""
    for name, value in values.items():
        share = min(1.0, max(0.0, float(value)))
        left, right = _MARGIN + 130, _WIDTH - _MARGIN - 50
        draw.text((_MARGIN, top + 4), name[:18], _INK, _font(13))
        draw.rectangle((left, top + 4, right, top + 18), _PALE)
        draw.rectangle((left, top + 4, left + round((right - left) * share), top + 18), _BAR)
        draw.text((right + 8, top + 4), f"{share * 100:.0f} %", _INK, _font(13))
        top += _ROW
    return top


def _wave(
    draw: ImageDraw.ImageDraw, top: int, wave: list[float], evidence: Mapping[str, Any]
) -> None:
    """Draw the motion of the chest over time."""
    seconds = len(wave) / float(evidence.get("chest_rate_hz") or 1.0)
    largest = max(0.1, *(abs(value) for value in wave))
    heading = f"motion of the chest, ±{largest:.1f} mm in {seconds:.0f} s"
    draw.text((_MARGIN, top + 6), heading, _INK, _font(13))
    middle, half = (top + 30 + _HEIGHT - 40) // 2, (_HEIGHT - 70 - top) / 2
    step = (_WIDTH - 2 * _MARGIN) / max(1, len(wave) - 1)
    points = [(_MARGIN + n * step, middle - value / largest * half) for n, value in enumerate(wave)]
    draw.line((_MARGIN, middle, _WIDTH - _MARGIN, middle), _PALE)
    draw.line(points, _LINE, 2)
    rates = [
        f"{evidence[f'{name}_per_min']:g} {unit} a minute"
        for name, unit in (("breath", "breaths"), ("heart", "heartbeats"))
        if evidence.get(f"{name}_per_min") is not None
    ]
    draw.text((_MARGIN, _HEIGHT - 26), ", ".join(rates), _INK, _font(13))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
