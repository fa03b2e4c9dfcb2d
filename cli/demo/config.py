"""What the demo starts and asks: ``demo.yaml`` beside this module, and explicit arguments."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

#: What is asked about a picture of one's own.
OWN_REQUESTS = ("What is this?", "Describe this picture.")


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """What the demo starts and asks.

    Attributes:
        rate_kb_per_s: Rate of the link, both ways.
        slowdown: Factor by which the device is slowed.
        delay_ms: Delay of the link, one way.
        requests: Text and picture (as ``--image`` takes it) of each request.
    """

    rate_kb_per_s: float
    slowdown: float
    delay_ms: float
    requests: tuple[tuple[str, str], ...]


def load_demo(rate: float | None, slowdown: float | None, pictures: list[Path]) -> DemoConfig:
    """Read the demo's configuration; explicit arguments come first.

    Args:
        rate: Rate in KB/s, or None for the configured one.
        slowdown: Factor, or None for the configured one.
        pictures: Pictures of the person's own, asked about at the end.
    """
    import yaml

    values: dict[str, Any] = yaml.safe_load(
        (files("edgewright.cli.demo") / "demo.yaml").read_text("utf-8")
    )
    requests = [(each["text"], f"camera:{each['image']}") for each in values["requests"]]
    requests += [(text, str(path)) for path in pictures for text in OWN_REQUESTS]
    return DemoConfig(
        rate_kb_per_s=values["rate_kb_per_s"] if rate is None else rate,
        slowdown=values["slowdown"] if slowdown is None else slowdown,
        delay_ms=values["delay_ms"],
        requests=tuple(requests),
    )
