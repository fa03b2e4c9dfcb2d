"""The demo's configuration: ``demo.yaml`` beside this module, and explicit arguments."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

#: Requests about an image of the user's own.
OWN_REQUESTS = ("What is this?", "Describe this picture.")


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """The network that the demo starts, and its requests.

    Attributes:
        rate_kb_per_s: Rate of the link, both ways.
        slowdown: Factor by which the device is slowed.
        delay_ms: Delay of the link, one way.
        requests: Text and image (as for ``ask --image``) of each request.
    """

    rate_kb_per_s: float
    slowdown: float
    delay_ms: float
    requests: tuple[tuple[str, str], ...]


def load_demo(rate: float | None, slowdown: float | None, images: list[Path]) -> DemoConfig:
    """Read the demo's configuration; explicit arguments take precedence.

    Args:
        rate: Rate in KB/s; None means the configured one.
        slowdown: Factor; None means the configured one.
        images: The user's own images; the last requests are about them.
    """
    import yaml

    values: dict[str, Any] = yaml.safe_load(
        (files("edgewright.cli.demo") / "demo.yaml").read_text("utf-8")
    )
    requests = [(each["text"], f"camera:{each['image']}") for each in values["requests"]]
    requests += [(text, str(path)) for path in images for text in OWN_REQUESTS]
    return DemoConfig(
        rate_kb_per_s=values["rate_kb_per_s"] if rate is None else rate,
        slowdown=values["slowdown"] if slowdown is None else slowdown,
        delay_ms=values["delay_ms"],
        requests=tuple(requests),
    )
