"""One network, one server that requires a key, and one browser for all tests of the console."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.keys import digest, new_key
from edgewright.edge_runtime.profiling.measure import measure_profile
from edgewright.tools.nodes.launch import NodeProcess, launch_node

OpenPage = Callable[..., AbstractContextManager[Page]]


class Console(NamedTuple):
    """The console's address, a key that it accepts, and the processes behind it."""

    url: str
    key: str
    device: NodeProcess
    edge: NodeProcess
    server: subprocess.Popen[bytes]
    home: Path


@pytest.fixture(scope="session")
def photograph() -> Callable[[str], bytes]:
    """Return a function that encodes a photograph of scikit-image, given its name."""

    def encode(name: str) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(getattr(skimage.data, name)()).convert("RGB").save(buffer, "JPEG")
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def hostile() -> str:
    """A file's name that would run a script if it were parsed."""
    return "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture(scope="session")
def console(
    tmp_path_factory: pytest.TempPathFactory, photograph: Callable[[str], bytes], hostile: str
) -> Iterator[Console]:
    """Start a device with a camera, its edge server, and a server in front of both."""
    folder = tmp_path_factory.mktemp("console")
    camera = folder / "camera"
    camera.mkdir()
    (camera / "cat.jpg").write_bytes(photograph("chelsea"))
    (camera / hostile).write_bytes(photograph("chelsea"))
    profile = folder / "profile.json"
    measure_profile(NodeConfig(profile_file=profile, profile_runs=1, camera=camera))
    common: dict[str, Any] = {"port": 0, "profile_file": str(profile), "camera": str(camera)}
    # A trained tool is in the state folder, which the nodes of one machine share with the server.
    shared = {"EDGEWRIGHT_HOME": str(folder / "home")}
    with launch_node({"name": "edge", "role": "edge", **common}, environment=shared) as edge:
        peers = [{"url": edge.url, "poll_s": 0.5}]
        settings = {"name": "device", "role": "device", "peers": peers, **common}
        with launch_node(settings, environment=shared) as device:
            key, digest_of_key = new_key()
            parts = _parts(folder / "parts", hostile)
            with _serving(device.url, folder, digest_of_key, parts) as served:
                process, home = served.process, folder / "home"
                yield Console(served.url, key, device, edge, process, home)


def _parts(folder: Path, hostile: str) -> Path:
    """Make pictures of two kinds of parts, one kind with a hostile name, and what is no image."""
    rng = np.random.default_rng(0)
    for kind, level in (("bolt", 40), (Path(hostile).stem, 200)):
        (folder / kind).mkdir(parents=True)
        for number in range(40):
            pixels = np.clip(rng.normal(level, 30, (16, 16)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{number}.png")
    (folder / "bolt" / hostile).write_bytes(b"no image")
    return folder


class _serving:  # noqa: N801
    """Run ``edgewright serve``; a context manager.

    Args:
        node: URL of the node behind it.
        state: Folder for its state and its log.
        sha256: Digest of the key that it accepts, with all scopes.
        data: A folder that trainings may use.
        environment: More variables.

    Attributes:
        url: Its address.
        process: Its process.
    """

    def __init__(self, node: str, state: Path, sha256: str, data: Path, **environment: str) -> None:
        key = {"name": "browser", "sha256": sha256, "scopes": ["infer", "train", "admin"]}
        environment = {
            **os.environ,
            "EDGEWRIGHT_HOME": str(state / "home"),
            "EDGEWRIGHT_SERVE_KEYS": json.dumps([key]),
            **environment,
        }
        environment.pop("EDGEWRIGHT_CHAT_MODEL", None)
        command = [sys.executable, "-c", "from edgewright.cli.main import app; app()", "serve"]
        options = ("--port", "0", "--node", node, "--data", str(data), "--json")
        self._log = state / "serve.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *options], env=environment, stdout=subprocess.PIPE, stderr=log
            )
        self.url = ""

    def __enter__(self) -> "_serving":
        assert self.process.stdout is not None
        line = json.loads(self.process.stdout.readline() or "{}")
        assert "url" in line, self._log.read_text()
        self.url = str(line["url"])
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert "Traceback" not in self._log.read_text()


@pytest.fixture(scope="session")
def browser(console: Console) -> Iterator[Browser]:
    """Start Debian's Chromium, after the nodes: its event loop then occupies the thread."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Chromium is needed: apt-get install chromium, or make system"
    # As root, which containers run tests as, Chromium cannot use its own sandbox.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Browser, console: Console) -> Iterator[BrowserContext]:
    """Return a context that has signed in."""
    context = _signed_in(browser, console.url, console.key)
    yield context
    context.close()


def _signed_in(browser: Browser, url: str, key: str) -> BrowserContext:
    """Return a context that has signed in; the caller closes it.

    Args:
        browser: The browser.
        url: The console's address.
        key: A key that it accepts.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="What would you like to know?").wait_for()
    page.close()
    return context


class Watched:
    """What a page did that it must not do."""

    def __init__(self, page: Page, origin: str) -> None:
        self.faults: list[str] = []
        self._origin = origin
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        page.on("request", self._requested)

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(f"{kind}: {text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self._origin}/", f"blob:{self._origin}/")):
            self.faults.append(f"request: {request.url}")


@pytest.fixture
def page(context: BrowserContext, console: Console) -> Iterator[Page]:
    """Open the console in a page; afterwards it has logged no error and asked no other origin."""
    page = context.new_page()
    watched = Watched(page, console.url)
    page.goto(console.url)
    page.get_by_role("textbox", name="Request").wait_for()
    yield page
    page.close()
    assert not watched.faults


@pytest.fixture
def page_of_another(browser: Browser, console: Console, tmp_path: Path) -> OpenPage:
    """Return a context manager that opens the console of another server, before the same nodes.

    Its arguments are the page's path and variables of the server's environment.
    """

    @contextmanager
    def opened(path: str, **environment: str) -> Iterator[Page]:
        (tmp_path / "data").mkdir()
        digest_of_key = digest(console.key.encode())
        node, data = console.device.url, tmp_path / "data"
        with _serving(node, tmp_path, digest_of_key, data, **environment) as served:
            context = _signed_in(browser, served.url, console.key)
            page = context.new_page()
            watched = Watched(page, served.url)
            page.goto(f"{served.url}/{path}")
            yield page
            context.close()
        assert not watched.faults

    return opened


@pytest.fixture
def ask(page: Page) -> Callable[..., None]:
    """Return a function that sends a request, and waits for the end of it unless told not to."""

    def send(text: str, *, name: str = "", data: bytes = b"", wait: bool = True) -> None:
        if data:
            file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
            page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
            page.locator(".attachments li:not(.loading)").wait_for()
        page.get_by_role("textbox", name="Request").fill(text)
        page.get_by_role("button", name="Send").click()
        page.locator(".exchange").last.wait_for()
        if wait:
            page.locator(".exchange").last.locator(".cost, .notice").wait_for()

    return send
