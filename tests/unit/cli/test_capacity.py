"""``edgewright capacity``."""

import json
from pathlib import Path

_EXAMPLE = Path(__file__).parents[3] / "examples" / "capacity.yaml"
_ONE_TIER = ("--users", 1000, "--rate", 0.01, "--gflops", 100, "--memory-gb", 10)


def test_one_tier_by_options(edgewright):
    result = edgewright("capacity", "estimate", *_ONE_TIER, "--gpu", "l4", "--json")
    found = json.loads(result.stdout)
    assert found["servers"] == 1
    assert found["tiers"]["edge"]["jobs_per_gpu"] == 2
    assert "1 server," in edgewright("capacity", "estimate", *_ONE_TIER, "--gpu", "l4").stdout


def test_the_example_is_estimated_and_simulated(edgewright):
    estimated = edgewright("capacity", "estimate", "-c", _EXAMPLE, "--json")
    assert set(json.loads(estimated.stdout)["tiers"]) == {"edge", "cloud"}
    simulated = edgewright("capacity", "simulate", "-c", _EXAMPLE, "--seconds", 70, "--json")
    assert json.loads(simulated.stdout)["requests"] > 100


def test_the_published_example(edgewright):
    result = edgewright("capacity", "example")
    assert result.exit_code == 0
    assert "answers of" in result.stdout
    assert len(json.loads(edgewright("capacity", "example", "--json").stdout)["slips"]) == 6


def test_missing_options_are_named(edgewright, error_of):
    result = edgewright("capacity", "estimate", "--users", 5, "--json")
    assert result.exit_code == 2
    assert "--gflops" in error_of(result)["message"]
    unknown = edgewright("capacity", "estimate", *_ONE_TIER, "--gpu", "abacus", "--json")
    assert error_of(unknown)["code"] == "invalid_scenario"
