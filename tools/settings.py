"""Settings from environment variables, read only here; explicit arguments override them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from edgewright.tools.errors import InputError


def home() -> Path:
    """Return the folder for state (images, threads, profiles, models), set by ``EDGEWRIGHT_HOME``.

    Default: ``$XDG_STATE_HOME/edgewright`` or ``~/.local/state/edgewright``. It is not created.
    """
    return _folder("EDGEWRIGHT_HOME", "XDG_STATE_HOME", ".local/state")


def cache_folder() -> Path:
    """Return the folder for recomputable data, set by ``EDGEWRIGHT_CACHE``.

    Default: ``$XDG_CACHE_HOME/edgewright`` or ``~/.cache/edgewright``. It is not created.
    """
    return _folder("EDGEWRIGHT_CACHE", "XDG_CACHE_HOME", ".cache")


def model_source(variable: str) -> str:
    """Return the configured source of a model's weights; empty if none is configured.

    Args:
        variable: The model's environment variable, such as ``EDGEWRIGHT_VIT``.
    """
    return os.environ.get(variable, "")


@dataclass(frozen=True, kw_only=True)
class ChatModelSettings:
    """Connection to an OpenAI-compatible chat model; none is configured when ``model`` is empty.

    Attributes:
        model: Model name, from ``EDGEWRIGHT_CHAT_MODEL``.
        base_url: Endpoint, from ``OPENAI_BASE_URL``; empty means the provider's default.
        api_key: API key, from ``OPENAI_API_KEY``; local servers accept any.
        timeout_s: Maximum wait for one response, from ``EDGEWRIGHT_CHAT_TIMEOUT_S``.
    """

    model: str = ""
    base_url: str = ""
    api_key: str = ""
    timeout_s: float = 20.0

    @classmethod
    def from_environment(cls) -> ChatModelSettings:
        """Read the settings from the environment.

        Raises:
            InputError: The timeout is not a positive number of seconds.
        """
        return cls(
            model=os.environ.get("EDGEWRIGHT_CHAT_MODEL", ""),
            base_url=os.environ.get("OPENAI_BASE_URL", ""),
            api_key=os.environ.get("OPENAI_API_KEY", ""),
            timeout_s=_seconds("EDGEWRIGHT_CHAT_TIMEOUT_S", 20.0),
        )

    @property
    def configured(self) -> bool:
        """Whether a chat model is configured."""
        return bool(self.model)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings for planning and running requests.

    Attributes:
        node_url: URL of the device node, from ``EDGEWRIGHT_DEVICE_URL``; empty means a private
            node.
        api_key: API key sent to the node, from ``EDGEWRIGHT_API_KEY``.
        chat: The chat model that plans requests and phrases answers.
    """

    node_url: str = ""
    api_key: str = ""
    chat: ChatModelSettings = field(default_factory=ChatModelSettings)

    @classmethod
    def from_environment(cls, *, node_url: str | None = None, embedded: bool = False) -> Settings:
        """Read the settings from the environment.

        Args:
            node_url: URL of the device node; None takes it from the environment.
            embedded: Use no chat model, even if the environment names one.

        Raises:
            InputError: A setting has an invalid value.
        """
        return cls(
            node_url=node_url or os.environ.get("EDGEWRIGHT_DEVICE_URL", ""),
            api_key=os.environ.get("EDGEWRIGHT_API_KEY", ""),
            chat=ChatModelSettings() if embedded else ChatModelSettings.from_environment(),
        )


def _folder(variable: str, base_variable: str, default: str) -> Path:
    if chosen := os.environ.get(variable):
        return Path(chosen).expanduser()
    base = os.environ.get(base_variable)
    return (Path(base) if base else Path.home() / default) / "edgewright"


def _seconds(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InputError(
            f"{name}={text[:50]!r} is not a positive number of seconds; set it to one such as 20",
            code="invalid_setting",
        )
    return seconds
