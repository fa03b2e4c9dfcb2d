"""The tables of the federated benchmark: time to an accuracy, and seeds won by the agent."""

from edgewright.benchmarks.common.results import write_results
from edgewright.benchmarks.federated.run import PARTITIONS, Options, _setting
from edgewright.benchmarks.federated.tables import (
    AGENT,
    BASELINE,
    RANDOM,
    TPE,
    draw,
    markdown_of,
    reaching,
)


def test_time_to_an_accuracy_includes_earlier_trials():
    def record(method, *trials):
        return {
            "method": method,
            "chosen": len(trials) - 1,
            "trials": [
                {"best": max(values), "simulated_s": times, "validation": values}
                for times, values in trials
            ],
        }

    baseline = record(BASELINE, ([9, 18], [0.5, 0.6]), ([100, 200], [0.8, 0.9]))
    agent = record(AGENT, ([1, 2], [0.7, 0.85]), ([1, 2, 3], [0.8, 0.91, 0.92]))
    assert reaching(agent, baseline) == 4
    assert reaching(baseline, baseline) == 200
    weak = record(RANDOM, ([1, 2], [0.7, 0.85]))
    assert reaching(weak, baseline) is None


def trial(*values: float, seconds: float = 1.0) -> dict[str, object]:
    return {
        "status": "finished", "best": max(values), "parameters": 10,
        "simulated_s": [seconds * n for n in range(1, len(values) + 1)],
        "validation": list(values), "bytes_up": 1, "wall_s": 1.0,
    }  # fmt: skip


def test_the_table_has_every_method_and_counts_the_seeds_won_by_the_agent(tmp_path, card):
    records = [
        {
            "method": method, "partition": partition, "seed": seed, "chosen": 0,
            "test": test + seed / 100, "worst_client": test,
            "trials": [trial(test - 0.1, test, seconds=seconds)],
        }
        for seed in (0, 1)
        for partition in PARTITIONS
        for method, test, seconds in (
            (BASELINE, 0.88, 100.0), (AGENT, 0.9, 1.0), (RANDOM, 0.9, 1.0), (TPE, 0.91, 1.0),
        )
    ]  # fmt: skip
    options = Options("digits", 500, 2, tuple(PARTITIONS), tmp_path)
    markdown = markdown_of(_setting(options, card), options.partitions, records)
    assert "| iid | agent | 90.50 ± 6.3" in markdown
    assert "| dirichlet | ResNet-18 + SGD, grid | 88.50 ± 6.3" in markdown
    assert markdown.count("random search 0 of 2 (2 equal)") == 2
    assert markdown.count("grid 2 of 2 (0 equal)") == 2
    write_results(tmp_path, "table", {}, markdown, lambda axes: draw(axes, records))
    assert (tmp_path / "table.png").stat().st_size > 1000
    names = {options.run("iid", 0, record["method"]).root.name for record in records}
    assert names == {"resnet-18-sgd-grid", "agent", "random-search", "tpe"}
