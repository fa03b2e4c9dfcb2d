"""What the environment says: explicit argument first, then the environment, then the default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgewright.tools.errors import InputError


def home() -> Path:
    """Return the folder for state (images, threads, profiles), set by ``EDGEWRIGHT_HOME``.

    Default: ``$XDG_STATE_HOME/edgewright`` or ``~/.local/state/edgewright``. Not created here.
    """
    if chosen := os.environ.get("EDGEWRIGHT_HOME"):
        return Path(chosen).expanduser()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "edgewright"


@dataclass(frozen=True, kw_only=True)
class ChatModelSettings:
    """How to reach an OpenAI-compatible chat model; none is configured when ``model`` is empty.

    Attributes:
        model: Model name, from ``EDGEWRIGHT_CHAT_MODEL``.
        base_url: Endpoint, from ``OPENAI_BASE_URL``; empty means the provider's own.
        api_key: Key, from ``OPENAI_API_KEY``; local servers take any.
        timeout_s: Longest wait for one answer, from ``EDGEWRIGHT_CHAT_TIMEOUT_S``.
    """

    model: str = ""
    base_url: str = ""
    api_key: str = ""
    timeout_s: float = 20.0

    @classmethod
    def from_environment(cls) -> ChatModelSettings:
        """Read the settings from the environment.

        Raises:
            InputError: The time is not a positive number of seconds.
        """
        return cls(
            model=os.environ.get("EDGEWRIGHT_CHAT_MODEL", ""),
            base_url=os.environ.get("OPENAI_BASE_URL", ""),
            api_key=os.environ.get("OPENAI_API_KEY", ""),
            timeout_s=_seconds("EDGEWRIGHT_CHAT_TIMEOUT_S", 20.0),
        )

    @property
    def configured(self) -> bool:
        """Whether a chat model was named."""
        return bool(self.model)


def _seconds(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InputError(
            f"{name}={text[:50]!r} is no positive number of seconds; set it to one such as 20",
            code="invalid_setting",
        )
    return seconds
