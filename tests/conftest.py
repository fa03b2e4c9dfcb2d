"""What all tests share."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # Coverage is that of the test processes. What these start runs untraced: a traced node takes
    # half as long again, and its times are what offloading is decided by.
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)

# A shell lets what it starts in the background ignore Ctrl-C, and so would all that starts here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def fitted_planners(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Planners are fitted once for all tests; their files are named by what they learned from."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each worker has a folder of its own there
    folder /= "fitted-planners"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def new_state(fitted_planners: Path) -> Callable[[Path], Path]:
    """Make a state folder, new but for the fitted planners, and return it."""

    def make(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "planner").symlink_to(fitted_planners)
        return folder

    return make
