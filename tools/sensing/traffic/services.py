"""Categories of well-known services, by their domains."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml


@cache
def _known() -> dict[str, str]:
    text = (files("edgewright.tools.sensing.traffic") / "services.yaml").read_text("utf-8")
    return {name: category for category, names in yaml.safe_load(text).items() for name in names}


def category_of(domain: str) -> str | None:
    """Return the category of a service; None if it is not well known.

    Args:
        domain: The registered domain, such as ``spotify.com``.
    """
    return _known().get(domain)
