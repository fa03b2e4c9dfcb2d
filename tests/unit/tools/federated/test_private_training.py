"""DP-SGD on a client: clipping per unit, noise, and the budget that the client keeps."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.privacy import epsilon_spent, noise_for, rounds_within
from edgewright.tools.federated.app.private_training import private_steps, spend_round
from edgewright.tools.federated.records.local_privacy import DpSgd

TINY_NOISE = 1e-9


def networks() -> list[nn.Module]:
    """Return a network whose every layer is trained, and one with only a trained last layer."""
    torch.manual_seed(0)
    whole = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )
    last = nn.Sequential(nn.Flatten(), nn.LayerNorm(16, elementwise_affine=False), nn.Linear(16, 3))
    return [whole, last]


def expected_sum(model, images, labels, units, bound):
    """Compute the sum of clipped gradients one unit at a time, as the definition says."""
    total = [torch.zeros_like(p) for p in model.parameters()]
    for unit in units.unique():
        own = units == unit
        loss = functional.cross_entropy(model(images[own]), labels[own])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        norm = torch.sqrt(sum(g.square().sum() for g in gradients))
        for one, gradient in zip(total, gradients, strict=True):
            one += gradient * min(1.0, bound / float(norm))
    return total


@pytest.mark.parametrize("model", networks(), ids=["all layers", "last layer"])
@pytest.mark.parametrize("of_persons", [False, True])
@pytest.mark.parametrize("bound", [0.05, 100.0])
def test_the_gradient_is_the_mean_of_clipped_gradients_of_units(model, of_persons, bound):
    images, labels = torch.rand(9, 1, 4, 4), torch.arange(9) % 3
    units = torch.tensor([0, 2, 1, 1, 0, 3, 3, 3, 1]) if of_persons else torch.arange(9)
    count = int(units.max()) + 1
    expected = expected_sum(model, images, labels, units, bound)
    privacy = DpSgd(clipping_norm=bound, noise_multiplier=TINY_NOISE)
    loss = private_steps(
        model, images, labels, units, privacy, label_smoothing=0.0, step=lambda: None
    )
    assert loss > 0
    for parameter, total in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, total / count, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("model", networks(), ids=["all layers", "last layer"])
def test_noise_has_the_stated_deviation_and_no_unit_moves_the_sum_beyond_the_bound(model):
    images, labels = torch.rand(40, 1, 4, 4), torch.arange(40) % 3
    images[0] = float("nan")  # counts as nothing
    privacy = DpSgd(clipping_norm=0.01, noise_multiplier=500)
    private_steps(
        model, images, labels, torch.arange(40), privacy, label_smoothing=0.1, step=lambda: None
    )
    noise = torch.cat([p.grad.flatten() for p in model.parameters()]) * 40
    assert float(noise.std()) == pytest.approx(5.0, rel=0.3)


def test_a_step_with_no_unit_is_only_noise():
    model = networks()[1]
    privacy = DpSgd(clipping_norm=1.0, noise_multiplier=1.0, sample_rate=1e-9, local_steps=2)
    images, labels = torch.rand(5, 1, 4, 4), torch.arange(5) % 3
    steps = []
    private_steps(
        model,
        images,
        labels,
        torch.arange(5),
        privacy,
        label_smoothing=0.0,
        step=lambda: steps.append(1),
    )
    assert len(steps) == 2
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters())


def test_a_client_counts_its_rounds_itself_and_stops_at_its_budget(tmp_path: Path):
    noise = noise_for(6, 3.0, 1e-5)
    privacy = DpSgd(noise_multiplier=noise, epsilon=3.0, delta=1e-5, local_steps=2)
    assert rounds_within(privacy, at_most=100) == 3
    for _ in range(3):
        spend_round(tmp_path / "client", privacy)
    with pytest.raises(InputError, match="spent its privacy budget"):
        spend_round(tmp_path / "client", privacy)


@pytest.mark.parametrize(
    ("noise", "rate", "steps", "delta", "exact", "most"),
    [
        # From dp-accounting 0.4.4: its numerical accountant, and its Rényi accountant.
        (1.0, 1.0, 1, 1e-5, 4.3772, 4.3772),
        (12.0, 1.0, 60, 1e-5, 2.6548, 2.6548),
        (1.1, 0.02, 1000, 1e-5, 3.2501, 3.5876),
        (2.0, 0.1, 300, 1e-6, 4.7128, 5.0821),
        (4.0, 0.3, 200, 1e-5, 4.8621, 5.2700),
    ],
)
def test_the_accounting_agrees_with_an_independent_accountant(
    noise, rate, steps, delta, exact, most
):
    spent = epsilon_spent(noise_multiplier=noise, rounds=steps, delta=delta, sample_rate=rate)
    assert exact - 1e-3 <= spent <= most * 1.01
