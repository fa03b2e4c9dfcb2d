"""``make check-aarch64``: its table, and what it reports where a package has no wheel."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/check_aarch64.py"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_aarch64", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_has_a_column_for_each_python(check: ModuleType) -> None:
    table = check.table({"3.11": {"numpy": "1.26.4", "idna": "3"}, "3.13": {"numpy": "2.5.5"}})
    assert [line.split() for line in table.splitlines()] == [
        ["package", "3.11", "3.13"],
        ["idna", "3", "-"],
        ["numpy", "1.26.4", "2.5.5"],
    ]


def test_a_package_without_a_wheel_fails_the_check(
    check: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "constraints.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["no-wheel-of-this"]\n'
        "[project.optional-dependencies]\nedge = []\nonnx = []\n"
    )
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert check.main([str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("no-wheel-of-this") >= len(check.PYTHONS)
