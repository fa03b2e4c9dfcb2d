"""The wheel outside the checkout: its programs run, and programs that use it are type-checked."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PHOTOGRAPH = ROOT / "tools/offload/photographs/cat.jpg"
BIN = Path(sys.executable).parent
CLIENT = '''\
"""Every public name, used as its types say."""

import asyncio
from pathlib import Path

import edgewright
from edgewright import (
    AssistantContext,
    ChatModelSettings,
    DeadlineError,
    EdgewrightError,
    ImageRef,
    InputError,
    InvokeOptions,
    InvokeResponse,
    LinkError,
    NodeClient,
    NotFoundError,
    RefusedError,
    Reply,
    Services,
    Session,
    Settings,
    TransientError,
    UnavailableError,
    make_tools,
    open_services,
    open_session,
    resolve_image,
)


async def ask(session: Session, image: Path) -> Reply:
    camera: ImageRef = ImageRef.camera("gate.jpg")
    return await session.ask("What is this?", images=[image, "cat.png", camera])


async def converse() -> str:
    context = AssistantContext(node_url="http://127.0.0.1:8760", planner="embedded")
    async with open_session(context, thread="garden") as session:
        reply = await ask(session, Path("cat.png"))
        sent: list[int] = [one.report.bytes_up for one in reply.results if one.report is not None]
        return f"{reply.answer} {sum(sent)}"


async def list_tools(settings: Settings) -> list[str]:
    async with open_services(settings) as services:
        return await names(services, Path("cat.png"))


async def names(services: Services, path: Path) -> list[str]:
    uri: str = resolve_image(path, services.images).uri
    return [uri, *(tool.name for tool in await make_tools(services, deadline_s=5))]


async def call(url: str, image: bytes) -> InvokeResponse:
    async with NodeClient(url, api_key=None) as node:
        return await node.invoke("image-classification", InvokeOptions(deadline_s=5), image)


def main() -> str:
    try:
        asyncio.run(list_tools(Settings(chat=ChatModelSettings(model="m"))))
        response = asyncio.run(call("http://127.0.0.1:8760", b""))
        return asyncio.run(converse()) + response.status
    except (InputError, NotFoundError, RefusedError) as error:
        return error.message
    except (DeadlineError, LinkError, TransientError, UnavailableError) as error:
        return f"{error.message} {error.retryable}"
    except EdgewrightError as error:
        return error.info().code + edgewright.__version__
'''
WRONG = """\
from edgewright import NodeClient, open_session

NodeClient(8760)
open_session(thread=1)
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A folder with an environment that has the wheel; its dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("outside")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "env", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", wheel], check=True, timeout=100)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    for example in EXAMPLES.glob("*.py"):
        shutil.copy(example, folder)
    (folder / "client.py").write_text(CLIENT, "utf-8")
    return folder


def _mypy(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    return _checked(folder, "mypy", "--strict", "--python-executable", "env/bin/python", *files)


def _pyright(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    return _checked(folder, "pyright", "--pythonpath", "env/bin/python", *files)


def _checked(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_the_wheel_is_what_is_imported(outside: Path) -> None:
    code = "import edgewright; print(edgewright.NodeClient.__module__, edgewright.__file__)"
    output = subprocess.run(
        ["env/bin/python", "-c", code], cwd=outside, capture_output=True, text=True, check=True
    ).stdout
    assert str(outside / "env") in output


@pytest.mark.timeout(320)
@pytest.mark.parametrize("check", [_mypy, _pyright], ids=["mypy", "pyright"])
def test_a_client_and_the_examples_are_typed(outside: Path, check) -> None:
    files = sorted(path.name for path in outside.glob("*.py"))
    assert "client.py" in files
    assert "ask.py" in files
    run = check(outside, *files)
    assert run.returncode == 0, run.stdout


@pytest.mark.timeout(320)
@pytest.mark.parametrize("check", [_mypy, _pyright], ids=["mypy", "pyright"])
def test_wrong_arguments_are_found(outside: Path, check) -> None:
    (outside / "wrong.py").write_text(WRONG, "utf-8")
    run = check(outside, "wrong.py")
    (outside / "wrong.py").unlink()
    assert run.returncode == 1
    assert run.stdout.count("error") >= 2


@pytest.mark.timeout(320)
def test_a_request_is_answered_whatever_lies_in_the_working_folder(
    outside: Path, tmp_path: Path
) -> None:
    (tmp_path / "edgewright").mkdir()
    for name in ("edgewright/__init__.py", "torch.py", "yaml.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the working folder')\n")
    shutil.copy(PHOTOGRAPH, tmp_path / "x.jpg")
    for command in (["doctor"], ["ask", "What is this?", "--image", "x.jpg"]):
        run = subprocess.run(
            [outside / "env/bin/edgewright", *command],
            cwd=tmp_path,
            env={**os.environ, "EDGEWRIGHT_HOME": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert run.returncode == 0, run.stdout + run.stderr
    assert "cat" in run.stdout.lower()
