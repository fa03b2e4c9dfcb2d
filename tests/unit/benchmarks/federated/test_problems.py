"""The table of the worded problems, and its cache."""

from edgewright.benchmarks.federated.problems import main
from edgewright.benchmarks.federated.worded import ProblemOutcome, load_problems


def test_finished_problems_are_not_run_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))  # restored after the benchmark sets it
    cache, out = tmp_path / "cache", tmp_path / "out"
    cache.mkdir()
    for problem in load_problems():
        outcome = ProblemOutcome(
            name=problem.name, kind=problem.kind, figure=problem.figure, answered=True,
            ours=None if problem.name == "teachers" else 0.5,
            control=None if problem.figure == "epsilon" else 0.5,
            as_well=problem.name != "teachers",
            accuracy=0.9, control_accuracy=0.9, choices="",
        )  # fmt: skip
        (cache / f"{problem.name}.json").write_text(outcome.model_dump_json(), "utf-8")
    assert main(["--cache", str(cache), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("23 of 24 designs")
    assert "| therapists | privacy | epsilon | 0.5 | no guarantee |" in printed
    assert "| teachers | personal | worst-client | never |" in printed
    assert (out / "federated-problems.md").read_text("utf-8") == printed
