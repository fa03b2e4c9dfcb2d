"""The sandbox policy: the files, environment and resources of a sandboxed program."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path

from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.settings import cache_folder

#: System folders with shared libraries, and the special files that Python and PyTorch read.
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_SPECIAL = ("/dev/null", "/dev/zero", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo")
_CPUS = "/sys/devices/system/cpu"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules of one sandbox. It has no network and none of the host's environment variables.

    Attributes:
        scratch: The only writable folder; also the working and home directory.
        read: Readable folders in addition to Python's own.
        limits: Resource limits.
    """

    scratch: Path
    read: tuple[Path, ...] = ()
    limits: SandboxLimits = field(default_factory=SandboxLimits)

    def __post_init__(self) -> None:
        # The program has another working directory.
        object.__setattr__(self, "scratch", self.scratch.absolute())
        object.__setattr__(self, "read", tuple(path.absolute() for path in self.read))

    def environment(self) -> dict[str, str]:
        """Return the complete environment of the program."""
        scratch = str(self.scratch)
        return {
            "PATH": "/nonexistent",
            "HOME": scratch,
            "TMPDIR": scratch,
            "EDGEWRIGHT_CACHE": str(cache_folder()),  # of which it may read what ``read`` names
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "FLWR_HOME": f"{scratch}/.flwr",
            "FLWR_TELEMETRY_ENABLED": "0",
        }

    def readable(self) -> list[str]:
        """List all readable paths that exist."""
        paths = [*_SYSTEM, *_SPECIAL, _CPUS, *map(str, _python()), *map(str, self.read)]
        return [path for path in dict.fromkeys(paths) if Path(path).exists()]


def _python() -> list[Path]:
    """Return the interpreter, its libraries and the packages that run in the sandbox."""
    return [
        Path(sys.prefix) / "bin",
        Path(sys.prefix) / "lib",
        Path(sys.prefix) / "pyvenv.cfg",
        Path(sys.base_prefix) / "bin",
        Path(sys.base_prefix) / "lib",
        # Those of another environment that this one borrows from, too.
        *(
            Path(folder)
            for folder in sys.path
            if folder.endswith(("site-packages", "dist-packages"))
        ),
        # The first is only the package's ``__init__`` in an editable install.
        _folder("edgewright"),
        _folder("edgewright.tools"),
    ]


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{package} has no folder")
    return Path(spec.origin).parent
