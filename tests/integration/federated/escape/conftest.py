"""The corpus, its targets, and how its programs run in each sandbox of this machine."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from edgewright.tools.sandbox.backends import BACKENDS
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy


def _load(name):
    """Import a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(
        f"escape_{name}", Path(__file__).with_name(f"{name}.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_files, _processes, _kernel, _hogs = map(_load, ("files", "processes", "kernel", "hogs"))
_outside = _load("outside")

#: Argument of a test: the programs that it is run with.
CORPUS = {
    "probe": _files.FILES | _processes.PROCESSES | _processes.CHANNELS | _kernel.KERNEL,
    "metadata": _files.METADATA,
    "memory_hog": _hogs.MEMORY,
    "time_hog": _hogs.TIME,
    "disk_hog": _hogs.DISK,
    "task_hog": _hogs.TASKS,
}
_LIMITS = SandboxLimits(
    time_s=20, memory_bytes=300_000_000, disk_bytes=60_000_000, output_bytes=50_000
)


def pytest_generate_tests(metafunc):
    for name in CORPUS.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, CORPUS[name].values(), ids=CORPUS[name].keys())


@pytest.fixture
def probes():
    """All probes of the corpus."""
    return CORPUS["probe"]


@pytest.fixture
def denied_calls():
    """A program that makes each system call that the filter denies."""
    return _kernel.CALLS


@pytest.fixture
def limits():
    """Limits of the sandbox, which a test may replace."""
    return _LIMITS


@pytest.fixture
def outside(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", _outside.CANARY)
    monkeypatch.setenv("EDGEWRIGHT_CANARY", _outside.CANARY)
    with _outside.targets(tmp_path) as targets:
        yield targets


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def backend(request):
    if request.param.name == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed; 'make system' installs it")
    return request.param


@pytest.fixture
def start(backend, outside, limits):
    """Start a program of the corpus, after the lockdown that precedes all generated code."""

    def start(program):
        lockdown = (
            "from edgewright.tools.sandbox.lockdown import lock_down\n"
            f"lock_down(memory_bytes={limits.memory_bytes}, file_bytes={limits.disk_bytes}, "
            "open_files=256)\n"
        )
        policy = Policy(
            scratch=outside.root / "scratch",
            read=(outside.root / "data", outside.root / "app"),
            limits=limits,
        )
        source = lockdown + outside.source(program)
        return backend.start([sys.executable, "-I", "-B", "-c", source], policy)

    return start


@pytest.fixture
def run(start, limits):
    """Run a program to its end; return its output and the process."""

    def run(program):
        with start(program) as confined:
            output = []
            while (line := confined.receive(limits.time_s + 10)) is not None:
                output.append(line)
            confined.wait(10)
        return "\n".join([*output, confined.errors]), confined

    return run
