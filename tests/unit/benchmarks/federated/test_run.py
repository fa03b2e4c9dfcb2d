"""What the federated benchmark keeps of a trial."""

from types import SimpleNamespace

from edgewright.benchmarks.federated.run import _improvements


def point(second, accuracy):
    return SimpleNamespace(simulated_s=second, validation=SimpleNamespace(accuracy=accuracy))


def test_of_a_curve_the_improvements_and_its_end_are_kept():
    values = [0.5, 0.4, 0.6, 0.6, 0.7000004, 0.7000001, 0.65]
    kept = _improvements([point(n + 1.00004, value) for n, value in enumerate(values)])
    assert kept == {"simulated_s": [1.0, 3.0, 5.0, 7.0], "validation": [0.5, 0.6, 0.7, 0.65]}


def test_a_trial_without_a_curve_keeps_nothing():
    assert _improvements([]) == {"simulated_s": [], "validation": []}
