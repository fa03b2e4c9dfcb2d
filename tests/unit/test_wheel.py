"""The wheel holds the packages with their data, and nothing that is for developers alone."""

import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
MAX_BYTES = 12_000_000
DEVELOPERS = "edgewright.benchmarks"
COMPILED = "edgewright/tools/codecs/_range_coder.abi3.so"


@pytest.fixture(scope="module")
def files(wheel: Path) -> set[str]:
    """What the wheel installs, its metadata apart."""
    return {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= MAX_BYTES


def test_it_holds_every_file_of_the_packages_and_no_other(files: set[str]) -> None:
    mapping = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    expected = {
        f"{package.replace('.', '/')}/{path.relative_to(ROOT / folder)}"
        for package, folder in mapping["package-dir"].items()
        if package != DEVELOPERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".c", ".so")
    }
    assert files == expected | {COMPILED}


def test_it_serves_every_python_from_3_11(wheel: Path) -> None:
    """The compiled module uses Python's stable interface."""
    assert wheel.name.split("-")[2:4] == ["cp311", "abi3"]


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "agents/planner/fitting/fitted/builtin-cards.safetensors",
        "agents/planner/prompts/request.md",
        "cli/demo/demo.yaml",
        "tools/cards/catalogue/demonstrations.jsonl",
        "tools/cards/catalogue/image-classification.yaml",
        "tools/codecs/learned/weights/photographs/device.safetensors",
        "tools/codecs/tables.npz",
        "tools/federated/template/app-template/federated_app/task.py",
        "tools/offload/accuracy_retention.json",
        "tools/offload/photographs/cat.jpg",
    ],
)
def test_it_holds_each_kind_of_data(files: set[str], name: str) -> None:
    assert f"edgewright/{name}" in files


def test_no_benchmark_and_no_test_is_in_it(files: set[str]) -> None:
    assert not [name for name in files if {"benchmarks", "tests"} & set(name.split("/"))]


def test_no_model_or_codec_of_a_benchmark_is_in_it(wheel: Path, files: set[str]) -> None:
    ours = {path.read_bytes() for path in (ROOT / "benchmarks").rglob("*.safetensors")}
    assert ours
    with ZipFile(wheel) as archive:
        shipped = [archive.read(name) for name in files if name.endswith(".safetensors")]
    assert shipped
    assert ours.isdisjoint(shipped)
