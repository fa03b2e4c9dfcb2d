"""Finds the packages: each top folder is installed under the name that pyproject.toml gives it.

The folders have short names; inside one package, ``agents`` or ``tools`` cannot shadow another
distribution's package. Setuptools can rename folders, but cannot look for packages in renamed ones.
"""

import tomllib
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.editable_wheel import editable_wheel

FOLDER_OF: dict[str, str] = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"][
    "setuptools"
]["package-dir"]
#: For developers: importable in a checkout, not part of the wheel.
BENCHMARKS = "edgewright.benchmarks"


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
)
