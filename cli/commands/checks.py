"""The checks of ``edgewright doctor``; each finding names the command that fixes it."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgewright.cli.extras import UNCHECKED, extras
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.nodes.urls import shown_url, urls_of
from edgewright.tools.settings import ChatModelSettings, home, variable

if TYPE_CHECKING:
    from edgewright.tools.contracts.profiles import PeerView

State = Literal["ok", "note", "problem"]

#: What each extra is for. A board needs few of them.
PURPOSES = {
    "agent": "plan, ask, chat and train",
    "capacity": "simulating users and servers",
    "codec": "training codecs",
    "discovery": "announcing and finding nodes",
    "edge": "nodes",
    "federated": "training models",
    "generation": "new figures by ControlNet",
    "grpc": "the Open Inference Protocol over gRPC",
    "models": "installing models",
    "onnx": "running models",
    "sensing": "moods from sensors",
    "servers": "serve and mcp",
    "tracing": "traces of requests",
    "vision": "exporting models, and running those without an export",
}
#: Packages that run models, and what people call them.
_ENGINES = {"onnxruntime": "ONNX Runtime", "torch": "PyTorch"}
_PYTHONS = ((3, 11), (3, 12), (3, 13))
_MIN_FREE_BYTES = 500_000_000
_CHAT_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding.

    Attributes:
        name: The subject of the check.
        state: ``note`` means missing but not needed.
        detail: The finding.
        fix: The command or setting that fixes it; empty when nothing is wrong.
    """

    name: str
    state: State
    detail: str
    fix: str = ""


def python() -> Check:
    """Check the version of Python."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] in _PYTHONS:
        return Check(name="python", state="ok", detail=version)
    fix = "create a virtual environment with Python 3.11, 3.12 or 3.13"
    return Check(name="python", state="problem", detail=f"{version} is not supported", fix=fix)


def installed_extras() -> list[Check]:
    """Check which extras are installed."""
    found: list[Check] = []
    for extra, names in extras().items():
        if extra in UNCHECKED:
            continue
        missing = [name for name in names if not _installed(name)]
        if missing:
            detail = f"for {PURPOSES[extra]}; missing: {', '.join(missing)}"
            fix = f"pip install 'edgewright[{extra}]'"
            found.append(Check(name=f"extra {extra}", state="note", detail=detail, fix=fix))
        else:
            found.append(Check(name=f"extra {extra}", state="ok", detail="installed"))
    return found


def engine() -> Check:
    """Check that something on this machine can run models."""
    installed = [title for package, title in _ENGINES.items() if _installed(package)]
    if installed:
        return Check(name="engine", state="ok", detail=", ".join(installed))
    fix = "pip install 'edgewright[onnx]'"
    return Check(name="engine", state="problem", detail="none, so no model can run", fix=fix)


def entropy_coder() -> Check:
    """Check that the entropy coder of the feature codecs is compiled."""
    from edgewright.tools.codecs.entropy import COMPILED

    if COMPILED:
        return Check(name="entropy coder", state="ok", detail="compiled")
    fix = "install a C compiler, then: pip install --force-reinstall --no-deps edgewright"
    detail = "Python fallback: same bytes, slower"
    return Check(name="entropy coder", state="note", detail=detail, fix=fix)


def installed_models() -> list[Check]:
    """Check the models of the catalogue: the default set, and whatever else is installed."""
    from edgewright.tools.models.catalogue import catalogue
    from edgewright.tools.models.installed import faults, read_installed

    found: list[Check] = []
    for model in catalogue().values():
        name, fix = f"model {model.name}", f"edgewright models install {model.name}"
        manifest = read_installed(model.name)
        if manifest is None:
            if model.default:
                detail = f"not installed; for {model.serves}"
                found.append(Check(name=name, state="note", detail=detail, fix=fix))
        elif wrong := faults(manifest):
            found.append(Check(name=name, state="problem", detail=wrong[0], fix=fix))
        else:
            detail = f"installed, {manifest.bytes / 1e6:.1f} MB"
            found.append(Check(name=name, state="ok", detail=detail))
    return found


def experts() -> list[Check]:
    """Check which experts this machine can run."""
    from edgewright.tools.library import expert_statuses

    found: list[Check] = []
    for name, status in expert_statuses().items():
        # A reason reads "problem: fix".
        missing, _, fix = status.reason.partition(": ")
        state: State = "ok" if status.available else "note"
        detail = missing or status.model
        found.append(Check(name=f"expert {name}", state=state, detail=detail, fix=fix))
    return found


def added_by_others() -> list[Check]:
    """Check the plug-ins: their versions, what they add, and whether they may be loaded."""
    from edgewright.tools.plugins import plugins

    found: list[Check] = []
    for plugin in plugins():
        name, offers = f"plug-in {plugin.distribution}", ", ".join(plugin.offers)
        if not plugin.permitted:
            detail = f"{plugin.version}, not permitted, so not loaded ({offers})"
            fix = f"to load it, add {plugin.distribution} to EDGEWRIGHT_PLUGINS"
            found.append(Check(name=name, state="note", detail=detail, fix=fix))
        elif plugin.faults:
            fix = f"pip install --upgrade {plugin.distribution}, or uninstall it"
            detail = f"{plugin.version}, broken and left out: {'; '.join(plugin.faults)}"
            found.append(Check(name=name, state="problem", detail=detail, fix=fix))
        else:
            detail = f"{plugin.version}, permitted to run with this user's rights ({offers})"
            found.append(Check(name=name, state="ok", detail=detail))
    return found


def state_folder() -> Check:
    """Check that images, threads and profiles can be stored."""
    folder = home()
    fix = "set EDGEWRIGHT_HOME to a writable folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        detail = f"{folder} is not writable: {error.strerror}"
        return Check(name="state folder", state="problem", detail=detail, fix=fix)
    detail = f"{folder}, {free / 1e9:.1f} GB free"
    if free < _MIN_FREE_BYTES:
        return Check(name="state folder", state="problem", detail=detail, fix="free some space")
    return Check(name="state folder", state="ok", detail=detail)


def files() -> list[Check]:
    """Check the files in the state folder that commands read; those left out are named."""
    from edgewright.tools.cards.added import cards_folder
    from edgewright.tools.cards.registry import read_cards
    from edgewright.tools.federated.serving.installed import models_folder, read_models

    found: list[Check] = []
    for name, folder, (valid, faults) in (
        ("added cards", cards_folder(), read_cards(cards_folder())),
        ("trained models", models_folder(), read_models()),
    ):
        if not faults:
            found.append(Check(name=name, state="ok", detail=f"{len(valid)}"))
        for fault in faults:
            fix = f"correct or remove it in {folder}"
            detail = f"left out: {fault.message}"
            found.append(Check(name=name, state="problem", detail=detail, fix=fix))
    return found


def sandbox() -> Check:
    """Check that generated code can be confined, and who enforces its limits."""
    name = "sandbox"
    try:
        from edgewright.tools.sandbox.backends import enforcement, find_sandbox

        backend = find_sandbox().name
        return Check(name=name, state="ok", detail=f"{backend}; {enforcement(backend)}")
    except EdgewrightError as error:
        fix = "pip install 'edgewright[federated]', or apt-get install bubblewrap"
        return Check(name=name, state="note", detail=error.message, fix=fix)


async def threads() -> Check:
    """Check that the file of the threads is usable."""
    name = "threads"
    from edgewright.graphs.services.local import threads_file

    path = threads_file()
    if not path.exists():
        return Check(name=name, state="ok", detail="none yet")
    if not _installed("langgraph-checkpoint-sqlite"):
        return Check(name=name, state="note", detail="cannot be read without the extra agent")
    from edgewright.graphs.services.threads import open_threads

    try:
        async with open_threads(path, lock_timeout_s=1.0) as saver:
            await saver.conn.execute("BEGIN IMMEDIATE")
            await saver.conn.rollback()
            return Check(name=name, state="ok", detail=f"{path.stat().st_size / 1e6:.1f} MB")
    except EdgewrightError as error:
        return Check(name=name, state="problem", detail=error.message, fix=f"check {path}")


async def chat_model() -> Check:
    """Check that the chat model answers, if one is configured; nothing is contacted otherwise."""
    import httpx

    name = "chat model"
    settings = ChatModelSettings.from_environment()
    if not settings.configured:
        detail = "none configured; the embedded planner and templates are used"
        return Check(name=name, state="ok", detail=detail)
    url = (settings.base_url or "https://api.openai.com/v1").rstrip("/")
    shown = shown_url(url)
    fix = "check OPENAI_BASE_URL, OPENAI_API_KEY and EDGEWRIGHT_CHAT_MODEL"
    try:
        async with httpx.AsyncClient(timeout=_CHAT_TIMEOUT_S) as client:
            # Local servers accept any key, but a header without one is invalid.
            bearer = {"Authorization": f"Bearer {settings.api_key or 'none'}"}
            answer = await client.get(f"{url}/models", headers=bearer)
        listed = [model["id"] for model in answer.raise_for_status().json()["data"]]
    except httpx.HTTPStatusError as error:
        detail = f"{shown} answered with status {error.response.status_code}"
        return Check(name=name, state="problem", detail=detail, fix=fix)
    except httpx.HTTPError as error:
        detail = f"{shown}: {error or type(error).__name__}"
        return Check(name=name, state="problem", detail=detail, fix=fix)
    except httpx.InvalidURL:
        detail = f"{shown} is no URL"
        return Check(name=name, state="problem", detail=detail, fix=fix)
    except (ValueError, KeyError, TypeError):
        detail = f"{shown} does not list models as OpenAI-compatible servers do"
        return Check(name=name, state="note", detail=detail, fix=fix)
    if settings.model not in listed:
        detail = f"{shown} does not list {settings.model!r}"
        return Check(name=name, state="note", detail=detail, fix=fix)
    return Check(name=name, state="ok", detail=f"{settings.model} at {shown}")


async def device_node(url: str | None) -> list[Check]:
    """Check that the device node and its peers answer, if any are configured.

    Args:
        url: URL of the node; None when none is configured.
    """
    from edgewright.tools.nodes.client import NodeClient

    if url is None:
        detail = "none configured; a private one is started on demand"
        return [Check(name="device node", state="ok", detail=detail)]
    try:
        async with NodeClient(url, api_key=variable("EDGEWRIGHT_API_KEY"), timeout_s=5.0) as client:
            cards = await client.tools()
            profile = await client.profile()
    except EdgewrightError as error:
        fix = "edgewright node --config FILE, or correct EDGEWRIGHT_DEVICE_URL"
        return [Check(name="device node", state="problem", detail=error.message, fix=fix)]
    runnable = sum(card.available for card in cards)
    detail = f"{profile.node} at {client.url} runs {runnable} of {len(cards)} cards"
    found = [Check(name="device node", state="ok", detail=detail)]
    if profile.role == "device" and not profile.peers:
        detail, fix = "none; everything runs on the device", "set 'peers' in its configuration"
        found.append(Check(name="peers", state="note", detail=detail, fix=fix))
    found += [_peer(name, peer) for name, peer in profile.peers.items()]
    unprofiled = profile.role == "device" and not profile.models
    if unprofiled:
        fix = "edgewright profile --config FILE"
        detail = "not measured; the device cannot compare its arms"
        found.append(Check(name="profile", state="note", detail=detail, fix=fix))
    return found


def _peer(name: str, peer: PeerView) -> Check:
    if not peer.link.up:
        detail, fix = "the node cannot reach it", "start it, or correct the node's 'peers'"
        return Check(name=f"peer {name}", state="problem", detail=detail, fix=fix)
    detail = (
        f"reachable at {peer.link.rate_kb_per_s:.0f} KB/s, {peer.link.rtt_ms:.1f} ms round trip"
    )
    if peer.receives != "images":
        detail += f"; receives {peer.receives} only"
    if peer.price_per_hour:
        detail += f"; {peer.price_per_hour:g} an hour"
    return Check(name=f"peer {name}", state="ok", detail=detail)


async def examine(url: str | None) -> list[Check]:
    """Run every check.

    Args:
        url: URL of the device node, or several; None when none is configured.
    """
    nodes: list[str | None] = [*urls_of(url or "")]
    return [
        python(),
        *installed_extras(),
        engine(),
        entropy_coder(),
        *installed_models(),
        *experts(),
        *added_by_others(),
        state_folder(),
        *files(),
        sandbox(),
        await threads(),
        await chat_model(),
        *[check for each in nodes or [None] for check in await device_node(each)],
    ]


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
