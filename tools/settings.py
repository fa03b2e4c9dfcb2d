"""Settings from environment variables, read only here; explicit arguments override them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from edgewright.tools.errors import EdgewrightError, InputError
from edgewright.tools.storage.reading import decode, read_file

_DAY_S = 86_400.0
#: Maximum size of a file that a variable names, in bytes.
_MAX_VALUE_BYTES = 1_000_000


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


def models_folder() -> Path:
    """Return the folder for installed models, set by ``EDGEWRIGHT_MODELS``.

    Default: ``$XDG_DATA_HOME/edgewright/models`` or ``~/.local/share/edgewright/models``. It is
    not created. All states and caches of a user share it.
    """
    if chosen := os.environ.get("EDGEWRIGHT_MODELS"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local/share") / "edgewright" / "models"


def engine() -> Literal["auto", "onnx", "torch"]:
    """Return the engine that runs models, set by ``EDGEWRIGHT_ENGINE``.

    ``auto``, the default, is ONNX Runtime where it is installed and the model is or can be
    exported, and PyTorch otherwise.

    Raises:
        InputError: It is none of these.
    """
    name = os.environ.get("EDGEWRIGHT_ENGINE", "auto")
    if name not in ("auto", "onnx", "torch"):
        raise InputError(
            f"EDGEWRIGHT_ENGINE={name[:50]!r} is not an engine; set it to auto, onnx or torch",
            code="invalid_setting",
        )
    return cast(Literal["auto", "onnx", "torch"], name)


def execution_providers() -> tuple[str, ...]:
    """Return the execution providers of ONNX Runtime, set by ``EDGEWRIGHT_PROVIDERS``, in order.

    Empty if the setting is, which means those that are detected.
    """
    names = os.environ.get("EDGEWRIGHT_PROVIDERS", "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def perception_bytes() -> int:
    """Return the size of the perception networks that stay loaded, in bytes.

    Set by ``EDGEWRIGHT_PERCEPTION_MB``; by default the whole default set fits.

    Raises:
        InputError: It is not a positive number.
    """
    return int(_positive("EDGEWRIGHT_PERCEPTION_MB", 200, "megabytes") * 1e6)


def permitted_plugins() -> frozenset[str] | None:
    """Return the distributions whose plug-ins may be loaded, set by ``EDGEWRIGHT_PLUGINS``.

    Returns:
        Their names; None if all may, which is the default. ``none`` permits nothing.
    """
    names = os.environ.get("EDGEWRIGHT_PLUGINS", "all")
    if names.strip().lower() == "all":
        return None
    return frozenset(name.strip() for name in names.split(",") if name.strip().lower() != "none")


def variable(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the value of an environment variable, or of the file that ``NAME_FILE`` names.

    A file is how containers, Kubernetes and systemd hand over secrets. White space at its end is
    no part of the value.

    Args:
        name: Name of the variable.
        environ: The environment.

    Returns:
        The value; None if neither variable is set.

    Raises:
        InputError: Both are set, or the file cannot be read (``invalid_setting``).
    """
    value, path = environ.get(name), environ.get(f"{name}_FILE")
    if path is None:
        return value
    if value is not None:
        raise InputError(
            f"both {name} and {name}_FILE are set; unset one of them", code="invalid_setting"
        )
    try:
        return decode(read_file(Path(path), _MAX_VALUE_BYTES)).rstrip()
    except EdgewrightError as error:
        raise InputError(f"{name}_FILE: {error.message}", code="invalid_setting") from None


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
        api_key: API key, from ``OPENAI_API_KEY`` or its file; local servers accept any.
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
            InputError: The timeout is not a positive number of seconds, or the key's file cannot be
                read.
        """
        return cls(
            model=os.environ.get("EDGEWRIGHT_CHAT_MODEL", ""),
            base_url=os.environ.get("OPENAI_BASE_URL", ""),
            api_key=variable("OPENAI_API_KEY") or "",
            timeout_s=_positive("EDGEWRIGHT_CHAT_TIMEOUT_S", 20.0, "seconds"),
        )

    @property
    def configured(self) -> bool:
        """Whether a chat model is configured."""
        return bool(self.model)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings for planning and running requests.

    Attributes:
        node_url: URL of the device node, from ``EDGEWRIGHT_DEVICE_URL``; several are separated by
            commas, and empty means a private node.
        api_key: API key sent to the node, from ``EDGEWRIGHT_API_KEY`` or its file.
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
            api_key=variable("EDGEWRIGHT_API_KEY") or "",
            chat=ChatModelSettings() if embedded else ChatModelSettings.from_environment(),
        )


@dataclass(frozen=True, kw_only=True)
class StorageLimits:
    """How much is kept, and for how long; see ``edgewright gc``.

    Attributes:
        images_bytes: Size of the image store, from ``EDGEWRIGHT_IMAGES_MB``.
        cache_bytes: Size of the cache folder, from ``EDGEWRIGHT_CACHE_MB``.
        unused_s: How long images that no thread names, and caches, are kept after their last use,
            from ``EDGEWRIGHT_KEEP_UNUSED_DAYS``.
        history_s: How long threads and training runs are kept after their last use, from
            ``EDGEWRIGHT_KEEP_HISTORY_DAYS``.
    """

    images_bytes: int = 2_000_000_000
    cache_bytes: int = 4_000_000_000
    unused_s: float = 30 * _DAY_S
    history_s: float = 180 * _DAY_S

    @classmethod
    def from_environment(cls) -> StorageLimits:
        """Read the limits from the environment.

        Raises:
            InputError: A limit is not a positive number.
        """
        return cls(
            images_bytes=int(_positive("EDGEWRIGHT_IMAGES_MB", 2000, "megabytes") * 1e6),
            cache_bytes=int(_positive("EDGEWRIGHT_CACHE_MB", 4000, "megabytes") * 1e6),
            unused_s=_positive("EDGEWRIGHT_KEEP_UNUSED_DAYS", 30, "days") * _DAY_S,
            history_s=_positive("EDGEWRIGHT_KEEP_HISTORY_DAYS", 180, "days") * _DAY_S,
        )


def _folder(variable: str, base_variable: str, default: str) -> Path:
    if chosen := os.environ.get(variable):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get(base_variable)
    return (Path(base) if base else Path.home() / default) / "edgewright"


def _positive(name: str, default: float, unit: str) -> float:
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise InputError(
            f"{name}={text[:50]!r} is not a positive number of {unit}; set it to one such as "
            f"{default:g}",
            code="invalid_setting",
        )
    return value
