"""README's commands and Python blocks run as they stand, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(bash|python|console)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with what a clone has, kept from block to block as a reader's is."""
    folder = tmp_path_factory.mktemp("tour")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWRIGHT_")}
    return kept | {
        "EDGEWRIGHT_HOME": str(tmp_path_factory.mktemp("state")),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


@pytest.mark.parametrize(
    ("language", "block"),
    [each for each in BLOCKS if each[0] != "console"],
    ids=[
        f"{language}: {block.splitlines()[-1][:40]}"
        for language, block in BLOCKS
        if language != "console"
    ],
)
def test_the_block_runs(
    language: str, block: str, folder: Path, environment: dict[str, str]
) -> None:
    command = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [sys.executable, "-c"]
    run = subprocess.run(
        [*command, block],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "target", re.findall(r"^make ([a-z-]+)", "".join(block for _, block in BLOCKS), re.MULTILINE)
)
def test_the_make_target_exists(target: str) -> None:
    subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30
    )


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_the_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).is_file()


def test_every_variable_of_the_example_file_is_explained() -> None:
    names = re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert names
    assert [
        name for name in names if name not in README and name != "LANGGRAPH_STRICT_MSGPACK"
    ] == []
