"""The commands and Python blocks of README, tutorials and how-to guides run as they stand.

`make test` runs those of README, `make test-docs` those of the other pages.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: In the order in which they run. A model that is trained becomes a tool, so that page comes last.
LAST = ROOT / "docs/tutorials/train-a-classifier.md"
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/how-to").glob("*.md")),
    *sorted(page for page in (ROOT / "docs/tutorials").glob("*.md") if page != LAST),
    LAST,
]
_BLOCK = re.compile(r"^```(bash|python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    page: Path
    number: int
    language: str
    code: str

    @property
    def name(self) -> str:
        return f"{self.page.stem} {self.number}: {self.code.splitlines()[-1][:40]}"


BLOCKS = [
    Block(page, number, language, code)
    for page in PAGES
    for number, (language, code) in enumerate(_BLOCK.findall(page.read_text("utf-8")), start=1)
]
RUN = [block for block in BLOCKS if block.language != "console"]
SHOWN = [block for block in BLOCKS if block.language == "console"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Path]]:
    """A working folder for each page, with what a clone has; it lasts from block to block."""
    folders = {page: tmp_path_factory.mktemp(page.stem) for page in PAGES}
    for folder in folders.values():
        (folder / "examples").symlink_to(ROOT / "examples")
    yield folders
    # A page whose block failed has not stopped the nodes that it started.
    for file in (file for folder in folders.values() for file in folder.glob("*.pid")):
        process = Path("/proc") / file.read_text().strip() / "cmdline"
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"edgewright" in process.read_bytes():
                os.kill(int(process.parent.name), signal.SIGTERM)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader who has set nothing; nodes measure themselves once for all."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("EDGEWRIGHT_") or name == "EDGEWRIGHT_CACHE"
    }
    return inherited | {
        "EDGEWRIGHT_HOME": str(tmp_path_factory.mktemp("state")),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def _marks(block: Block) -> list[pytest.MarkDecorator]:
    return [] if block.page == PAGES[0] else [pytest.mark.pages]


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=block.name, marks=_marks(block)) for block in RUN]
)
def test_the_block_runs(
    block: Block, folders: dict[Path, Path], environment: dict[str, str]
) -> None:
    bash = ["bash", "-euo", "pipefail", "-c"]
    command = bash if block.language == "bash" else [sys.executable, "-c"]
    run = subprocess.run(
        [*command, block.code],
        cwd=folders[block.page],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_every_kind_of_page_has_blocks_that_run() -> None:
    pages = {block.page for block in RUN}
    assert {ROOT / "README.md", *(ROOT / "docs/tutorials").glob("*.md")} <= pages
    assert len(pages) >= 8


def _found(pattern: str, blocks: list[Block]) -> list[str]:
    found = (re.findall(pattern, block.code, re.MULTILINE) for block in blocks)
    return sorted({match for matches in found for match in matches})


@pytest.mark.parametrize("target", _found(r"^make ([a-z-]+)", BLOCKS))
def test_the_make_target_exists(target: str) -> None:
    subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30
    )


@pytest.mark.parametrize(
    "command", _found(r"^edgewright ((?:cards|codec|runs) [a-z-]+|[a-z]+)", SHOWN)
)
def test_a_command_that_is_only_shown_exists(command: str, environment: dict[str, str]) -> None:
    help_text = ["edgewright", *command.split(), "--help"]
    subprocess.run(help_text, env=environment, check=True, capture_output=True, timeout=60)
