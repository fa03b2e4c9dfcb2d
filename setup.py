"""Finds the packages: each top folder is installed under the name that pyproject.toml gives it.

The folders have short names; inside one package, ``agents`` or ``tools`` cannot shadow another
distribution's package. Setuptools can rename folders, but cannot look for packages in renamed ones.

The one compiled module uses Python's stable interface, so one wheel serves every Python. Where it
cannot be compiled, the package is installed without it and uses the same coder in Python.
"""

import tomllib
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.editable_wheel import editable_wheel

FOLDER_OF: dict[str, str] = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"][
    "setuptools"
]["package-dir"]
#: For developers: importable in a checkout, not part of the wheel.
BENCHMARKS = "edgewright.benchmarks"
RANGE_CODER = Extension(
    "edgewright.tools.codecs._range_coder",
    ["tools/codecs/_range_coder.c"],
    define_macros=[("Py_LIMITED_API", "0x030b0000")],
    extra_compile_args=["-std=c11", "-O2", "-g0", "-Wall", "-Wextra"],
    py_limited_api=True,
    optional=True,
)


class Editable(editable_wheel):
    """An editable install, which has the benchmarks too."""

    def run(self) -> None:
        """Build it."""
        self.distribution.packages.append(BENCHMARKS)
        super().run()


setup(
    packages=[
        package
        for root, folder in FOLDER_OF.items()
        if root != BENCHMARKS
        for package in (root, *(f"{root}.{child}" for child in find_packages(folder)))
    ],
    cmdclass={"editable_wheel": Editable},
    ext_modules=[RANGE_CODER],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
