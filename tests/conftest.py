"""Fixtures and settings that all tests share."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgewright.tools.models.installed import read_installed
from edgewright.tools.settings import cache_folder
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.locks import exclusive

if "PYTEST_XDIST_WORKER" in os.environ:
    # Only test processes are measured for coverage, not the processes that they start: a traced
    # node takes one and a half times as long, and its measured times decide what is offloaded.
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)

# A shell makes background jobs ignore Ctrl-C, and every process started here would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose models are not installed; ``make setup`` installs the default set."""
    for mark in item.iter_markers("installed"):
        if missing := [name for name in mark.args if read_installed(name) is None]:
            pytest.skip(f"run 'edgewright models install {' '.join(missing)}'")


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a cache for all tests, with the vectors and the exported models of set-up."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each worker has a folder of its own there
    cache = folder / "cache"
    (cache / "planner").mkdir(parents=True, exist_ok=True)
    for path in (cache_folder() / "planner").glob("sentence-vectors-*.safetensors"):
        if not (cache / "planner" / path.name).exists():
            write_file(cache / "planner" / path.name, path.read_bytes())
    with exclusive(folder / "cache.lock"):
        if (models := cache_folder() / "models").is_dir() and not (cache / "models").exists():
            shutil.copytree(models, cache / "models")
    os.environ["EDGEWRIGHT_CACHE"] = str(cache)
    yield cache
    del os.environ["EDGEWRIGHT_CACHE"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, since setuptools packs what an earlier build left behind."""
    folder = tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "*.so")
    shutil.copytree(Path(__file__).parents[1], folder / "source", ignore=unwanted)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", folder, folder / "source"], check=True, timeout=400)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def planner_cache(shared_cache: Path) -> Path:
    """Return the folder of cached planners, which are fitted once for all tests."""
    return shared_cache / "planner"
