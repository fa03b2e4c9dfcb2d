"""DP-SGD on a client: gradients clipped per sample or person, noise on their sum, a budget kept.

Each sample passes through the model alone, so none can affect another's gradient. Augmentation is
not applied, since it sees whole batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.privacy import rounds_within
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.storage.atomic import write_file

Tensors = dict[str, torch.Tensor]
#: From the samples of each unit to the sum of the clipped gradients, and the mean loss.
Summing = Callable[[list[torch.Tensor]], tuple[Tensors, float]]

#: Samples whose gradients are in memory at a time.
_CHUNK = 128
#: Samples whose features are computed at a time.
_FORWARD = 512
#: File in a client's folder with the number of rounds whose updates it has computed.
_RELEASES = "releases"


def spend_round(folder: Path, privacy: DpSgd) -> None:
    """Count a round of a client against its budget, before its data are used.

    The client counts itself: a server that repeats rounds, by mistake or not, cannot spend more.

    Args:
        folder: The client's folder.
        privacy: The budget.

    Raises:
        InputError: The budget does not allow another round (``privacy_spent``).
    """
    path = folder / _RELEASES
    spent = int(path.read_text("ascii")) if path.exists() else 0
    if rounds_within(privacy, at_most=spent + 1) <= spent:
        raise InputError(
            f"the client has spent its privacy budget of epsilon {privacy.epsilon:g} in {spent} "
            "rounds",
            code="privacy_spent",
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_file(path, str(spent + 1).encode())


def private_steps(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    units: torch.Tensor,
    privacy: DpSgd,
    *,
    label_smoothing: float,
    step: Callable[[], None],
) -> float:
    """Train a model in place; every step sees only a noisy sum of clipped gradients.

    Args:
        model: The model, in training mode.
        images: float32 [N, C, H, W].
        labels: int64 [N].
        units: int64 [N], the unit that each sample belongs to, from 0 without gaps.
        privacy: Clipping, noise and steps.
        label_smoothing: Share of the target that is spread over all classes.
        step: Makes a step with the gradients that are then in the model's parameters.

    Returns:
        The mean loss in the last step, which must stay on the client.
    """
    noise = np.random.default_rng()  # never seeded by the run, which the server knows
    count = int(units.max()) + 1
    members = _members(units, count)
    summed = _summing(model, images, labels, label_smoothing, privacy.clipping_norm)
    deviation = privacy.noise_multiplier * privacy.clipping_norm
    expected = max(1.0, count * privacy.sample_rate)
    loss = 0.0
    for _ in range(privacy.local_steps):
        chosen = np.flatnonzero(noise.random(count) < privacy.sample_rate)
        total, loss = summed([members[unit] for unit in chosen])
        for name, parameter in _trained(model).items():
            random = noise.normal(scale=deviation, size=tuple(parameter.shape))
            parameter.grad = (total[name] + torch.from_numpy(random.astype(np.float32))) / expected
        step()
    return loss


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _summing(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    label_smoothing: float,
    bound: float,
) -> Summing:
    """Return a function from units to the sum of their clipped gradients and the mean loss."""
    head = _only_trained_layer(model)
    features = _features(model, head, images) if head is not None else None
    if head is not None and features is not None:
        layer, inputs = head, features
        return lambda members: _sum_of_layer(
            model, layer, inputs, labels, members, label_smoothing, bound
        )
    return lambda members: _sum(model, images, labels, members, label_smoothing, bound)


def _members(units: torch.Tensor, count: int) -> list[torch.Tensor]:
    """Return the samples of each unit."""
    order = torch.argsort(units, stable=True)
    sizes = torch.bincount(units, minlength=count)
    return list(torch.split(order, sizes.tolist()))


def _chunks(members: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Group units, never split, into chunks of about ``_CHUNK`` samples."""
    chunk: list[torch.Tensor] = []
    size = 0
    for samples in members:
        if chunk and size + len(samples) > _CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(samples)
        size += len(samples)
    if chunk:
        yield chunk


def _sum(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    members: list[torch.Tensor],
    label_smoothing: float,
    bound: float,
) -> tuple[Tensors, float]:
    """Sum the clipped gradients of units, whatever the model."""
    total = {name: torch.zeros_like(p) for name, p in _trained(model).items()}
    losses = [torch.zeros(0)]
    for chunk in _chunks(members):
        index = torch.cat(chunk)
        gradients, loss = _gradients(model, images[index], labels[index], label_smoothing)
        owners = torch.repeat_interleave(torch.tensor([len(each) for each in chunk]))
        sizes = torch.bincount(owners, minlength=len(chunk)).float()
        means = {
            name: torch.zeros(len(chunk), values[0].numel()).index_add_(
                0, owners, values.flatten(1)
            )
            / sizes[:, None]
            for name, values in gradients.items()
        }
        squares = torch.stack([mean.square().sum(dim=1) for mean in means.values()])
        scale = _scale(squares.sum(dim=0).sqrt(), bound)
        for name, mean in means.items():
            usable = torch.where(scale[:, None] > 0, mean, torch.zeros(()))
            total[name] += (usable * scale[:, None]).sum(dim=0).view_as(total[name])
        losses.append(loss)
    return total, _mean(torch.cat(losses))


def _gradients(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, label_smoothing: float
) -> tuple[Tensors, torch.Tensor]:
    """Return each sample's gradients, [N, *shape of the parameter], and losses, [N]."""
    trained = {name: p.detach() for name, p in _trained(model).items()}
    fixed = {n: p.detach() for n, p in model.named_parameters() if not p.requires_grad}
    fixed |= dict(model.named_buffers())

    def loss_of(
        parameters: Mapping[str, torch.Tensor], image: torch.Tensor, label: torch.Tensor
    ) -> torch.Tensor:
        logits = functional_call(model, {**parameters, **fixed}, (image[None],))
        return functional.cross_entropy(logits, label[None], label_smoothing=label_smoothing)

    per_sample = vmap(grad_and_value(loss_of), in_dims=(None, 0, 0), randomness="different")
    gradients, losses = per_sample(trained, images, labels)
    return gradients, losses.detach()


def _only_trained_layer(model: nn.Module) -> nn.Linear | None:
    """Return the linear layer that holds all trainable weights; None if there is none."""
    trained = {id(p) for p in _trained(model).values()}
    for module in model.modules():
        if isinstance(module, nn.Linear) and {id(p) for p in module.parameters()} == trained:
            return module
    return None


def _features(model: nn.Module, head: nn.Linear, images: torch.Tensor) -> torch.Tensor | None:
    """Return the inputs of the last layer, float32 [N, F], each computed from its own image.

    They do not depend on trainable weights, so they are computed once for all steps. None if the
    model does not simply end with this layer.
    """
    seen: list[torch.Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    def features_of(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.clear()
        logits = model(image[None])
        # A layer that is used twice, or on more than one vector, is not the end of the model.
        usable = len(seen) == 1 and seen[0].dim() == 2
        return logits[0], seen[0][0] if usable else torch.zeros(0)

    try:
        with torch.no_grad():
            outputs = [
                vmap(features_of, randomness="different")(part)
                for part in torch.split(images, _FORWARD)
            ]
            logits = torch.cat([each[0] for each in outputs])
            features = torch.cat([each[1] for each in outputs])
            same = features.shape[1] > 0 and torch.allclose(
                head(features), logits, atol=1e-4, equal_nan=True
            )
    finally:
        hook.remove()
    return features if same else None


def _sum_of_layer(
    model: nn.Module,
    head: nn.Linear,
    features: torch.Tensor,
    labels: torch.Tensor,
    members: list[torch.Tensor],
    label_smoothing: float,
    bound: float,
) -> tuple[Tensors, float]:
    """Sum the clipped gradients of units for a single linear layer, without making each of them.

    A sample's gradient is the outer product of its error and its features, so a unit's norm and the
    sum follow from matrix products.
    """
    if not members:
        return {name: torch.zeros_like(p) for name, p in _trained(model).items()}, 0.0
    index = torch.cat(members)
    with torch.no_grad():
        inputs, targets = features[index], labels[index]
        logits = head(inputs)
        losses = functional.cross_entropy(
            logits, targets, label_smoothing=label_smoothing, reduction="none"
        )
        classes = logits.shape[1]
        smooth = functional.one_hot(targets, classes) * (1 - label_smoothing)
        errors = logits.softmax(dim=1) - smooth - label_smoothing / classes
        extended = inputs
        if head.bias is not None:
            extended = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1)
        scale = torch.cat(
            [
                _scale(norm, bound)
                for norm in _layer_norms(errors, extended, [len(each) for each in members])
            ]
        )
        sizes = torch.tensor([len(each) for each in members])
        weights = torch.repeat_interleave(scale / sizes, sizes)[:, None]
        usable = torch.where(weights > 0, errors, torch.zeros(()))
        clean = torch.where(weights > 0, extended, torch.zeros(()))
        total = (usable * weights).T @ clean
    names = {id(p): name for name, p in model.named_parameters()}
    width = inputs.shape[1]
    gradients = {names[id(head.weight)]: total[:, :width]}
    if head.bias is not None:
        gradients[names[id(head.bias)]] = total[:, width]
    return gradients, _mean(losses)


def _layer_norms(
    errors: torch.Tensor, inputs: torch.Tensor, sizes: list[int]
) -> Iterator[torch.Tensor]:
    """Yield the norms of the units' mean gradients of one linear layer, in their order."""
    if all(size == 1 for size in sizes):
        yield errors.norm(dim=1) * inputs.norm(dim=1)
        return
    pairs = zip(torch.split(errors, sizes), torch.split(inputs, sizes), strict=True)
    for own_errors, own_inputs in pairs:
        yield ((own_errors.T @ own_inputs) / len(own_errors)).norm()[None]


def _scale(norms: torch.Tensor, bound: float) -> torch.Tensor:
    """Return the factor that clips each norm; zero for one that is not finite."""
    return torch.where(norms.isfinite(), bound / norms.clamp(min=bound), torch.zeros(()))


def _mean(losses: torch.Tensor) -> float:
    return float(losses.mean()) if len(losses) else 0.0
