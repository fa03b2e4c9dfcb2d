"""A codec in closed form: a transform that spends bits where the answers depend on them.

To second order, an error e of the features changes the answers by e'He/2 nats, where H is their
Fisher information: the mean of gg' over gradients g of log p(y), with y drawn from the model's own
answers. In coordinates in which H is the identity, this is half the squared error, and the
Karhunen-Loeve transform decorrelates the values of a block into coefficients, many of which are too
small to be sent. Both are estimated per block, the same for all blocks of a map, from about a
thousand unlabelled images. Nothing is trained, so there is little risk of overfitting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.loop import EpochProgress, ReportProgress
from edgewright.tools.codec_training.recipe import TransformRecipe
from edgewright.tools.codecs.learned.manifest import MAX_REACH, Layout
from edgewright.tools.codecs.learned.torch.networks import (
    check_encoder_size,
    make_decoder,
    make_encoder,
)
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks
from edgewright.tools.errors import InputError
from edgewright.tools.models.engines.torch.chain import Chain

#: Number of answers drawn per image.
_DRAWS = 3
#: Share of the mean information added to every direction, for errors not seen in the images.
_FLOOR = 1e-3
#: Share of a channel's table that follows a Laplace distribution with the same mean magnitude, for
#: symbols not seen in the images.
_SMOOTH = 1 / 64
#: Maximum share of a channel's symbols that may be clipped at the reach.
_MAX_CLIPPED = 1e-3
#: Batch size; larger batches exceed the processor's caches.
_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A linear transform of a block, and its inverse.

    An error of 1 in a coefficient changes the answers by half a nat.

    Attributes:
        mean: float32 ``[C]``, mean of each channel of the map.
        analysis: float32 ``[K, D]``: maps a block minus its mean, with D = C * block * block
            values, to K coefficients, in descending order of importance.
        synthesis: float32 ``[D, K]``: maps coefficients back to a block.
    """

    mean: torch.Tensor
    analysis: torch.Tensor
    synthesis: torch.Tensor


class TransformParts:
    """The parts of a transform codec for export; see ``Parts``.

    Args:
        adapter: The model.
        recipe: The cut and the prices of bits.

    Raises:
        InputError: The encoder has too many parameters (``encoder_too_large``).
    """

    def __init__(
        self,
        adapter: Chain,
        recipe: TransformRecipe,
    ) -> None:
        shape = adapter.feature_shape(recipe.point)
        self.layout = Layout(
            shape=shape,
            decoded_shape=shape,
            channels=recipe.channels,
            positions=(shape[1] // recipe.block) ** 2,
            block=recipe.block,
        )
        self.encoder, self.decoder = make_encoder(self.layout), make_decoder(self.layout)
        check_encoder_size(self.encoder)
        self.tail = TunedBlocks(adapter, recipe.point, recipe.point, {})
        gains = torch.tensor([1 / step_of(price) for price in recipe.prices])
        self.all_gains = gains[:, None].repeat(1, recipe.channels)
        self._probabilities: list[torch.Tensor] = []

    def set_transform(self, transform: Transform, features: NDArray[np.float16]) -> None:
        """Set the networks to a transform and its inverse, and estimate the symbol probabilities.

        Args:
            transform: A transform for blocks of this layout.
            features: float16 ``[N, *shape]`` from which symbols are counted.

        Raises:
            InputError: Too many symbols exceed the reach (``price_too_low``).
        """
        _set_weights(transform, self.encoder, self.decoder, self.layout.block)
        self._probabilities = [
            self._symbol_probabilities(features, rate) for rate in range(len(self.all_gains))
        ]

    def likelihoods(self, rate: int) -> torch.Tensor:
        """Return the probability of each symbol, ``[channels, 2 MAX_REACH + 1]``."""
        return self._probabilities[rate]

    def _symbol_probabilities(self, features: NDArray[np.float16], rate: int) -> torch.Tensor:
        channels, symbols = self.layout.channels, 2 * MAX_REACH + 1
        counts = torch.zeros(channels, symbols, dtype=torch.float64)
        offsets = torch.arange(channels)[:, None] * symbols + MAX_REACH
        for batch in _batches(features):
            with torch.inference_mode():
                latents = self.encoder(batch) * self.all_gains[rate][:, None]
            rounded = latents.round().clamp(-MAX_REACH, MAX_REACH).long()
            table_indices = (rounded + offsets).flatten()
            counts += torch.bincount(table_indices, minlength=counts.numel()).reshape(counts.shape)
        shares = counts / counts.sum(1, keepdim=True)
        clipped = shares[:, [0, -1]].amax()
        if clipped > _MAX_CLIPPED:
            raise InputError(
                f"at rate point {rate + 1}, {clipped:.1%} of a coefficient's values exceed "
                f"{MAX_REACH} steps; increase its price",
                code="price_too_low",
            )
        return (1 - _SMOOTH) * shares + _SMOOTH * _laplace(shares)


def step_of(price: float) -> float:
    """Return the optimal quantisation step for a price of a bit.

    With a step s, quantisation costs s^2/24 nats per coefficient, and each doubling of s saves one
    bit, so the marginal cost of a bit is s^2 ln 2 / 12.

    Args:
        price: Price of a bit in nats.
    """
    return math.sqrt(12 * price / math.log(2))


def fit_transform(
    adapter: Chain, recipe: TransformRecipe, image_set: ImageSet, report: ReportProgress
) -> TransformParts:
    """Fit a transform to a set of images, and estimate its symbol probabilities.

    Args:
        adapter: A classifier that is cut at a point with feature maps.
        recipe: The cut and the prices of bits.
        image_set: A few hundred images or more.
        report: Called after each batch.

    Raises:
        InputError: The features are not maps that can be divided into the blocks
            (``features_shape``), the recipe has more coefficients than a block has values
            (``too_many_channels``), the encoder has too many parameters (``encoder_too_large``), or
            the steps of a rate point are so small that many coefficients exceed the reach
            (``price_too_low``).
    """
    shape, block = adapter.feature_shape(recipe.point), recipe.block
    if len(shape) != 3 or shape[1] % block or shape[2] % block or shape[1] != shape[2]:
        raise InputError(
            f"features of shape {shape} cannot be divided into blocks of {block} by {block}; "
            "change the point or the block",
            code="features_shape",
        )
    if recipe.channels > shape[0] * block**2:
        raise InputError(
            f"channels={recipe.channels} exceeds the {shape[0] * block**2} values of a block; "
            "reduce channels or enlarge the block",
            code="too_many_channels",
        )
    parts = TransformParts(adapter, recipe)
    features, moments = _collect(adapter, recipe, image_set, report)
    parts.set_transform(moments.transform(recipe.channels), features)
    return parts


def _collect(
    adapter: Chain, recipe: TransformRecipe, image_set: ImageSet, report: ReportProgress
) -> tuple[NDArray[np.float16], Moments]:
    """Return the features of the images, and the moments of features and gradients."""
    torch.manual_seed(recipe.seed)
    point, last = recipe.point, len(adapter.block_names)
    moments = Moments(adapter.feature_shape(point)[0], recipe.block)
    collected: list[NDArray[np.float16]] = []
    images, done = image_set.read(), 0
    while batch := list(islice(images, _BATCH)):
        with torch.no_grad():
            pixels = torch.cat([adapter.tensor(adapter.preprocess(image)) for image in batch])
            features = adapter.forward(pixels, 0, point)
        collected.append(features.numpy().astype(np.float16))
        features.requires_grad_(True)
        log_probabilities = adapter.forward(features, point, last).log_softmax(1)
        draws = torch.multinomial(log_probabilities.detach().exp(), _DRAWS, replacement=True)
        gradients = [
            torch.autograd.grad(
                log_probabilities.gather(1, draw[:, None]).sum(), features, retain_graph=True
            )[0]
            for draw in draws.unbind(1)
        ]
        moments.add(features.detach(), gradients)
        done += len(batch)
        report(EpochProgress(f"answers to {image_set.name}", done, image_set.count, 0.0))
    return np.concatenate(collected), moments


class Moments:
    """Second moments of blocks of features, and of the gradients of the answers.

    Args:
        channels: Channels of the maps.
        block: Height and width of a block.
    """

    def __init__(self, channels: int, block: int) -> None:
        size = channels * block**2
        self._block = block
        self._blocks = 0
        self._total = torch.zeros(size, dtype=torch.float64)
        self._products = torch.zeros(size, size, dtype=torch.float64)
        self._information = torch.zeros(size, size, dtype=torch.float64)

    def add(self, features: torch.Tensor, gradients: list[torch.Tensor]) -> None:
        """Add a batch of images.

        Args:
            features: float32 ``[B, C, H, W]``.
            gradients: Gradients of log p(y) for answers y drawn per image, each of the same shape.
        """
        values = self._to_blocks(features)
        self._blocks += len(values)
        self._total += values.sum(0)
        self._products += values.T @ values
        for gradient in gradients:
            slopes = self._to_blocks(gradient)
            self._information += slopes.T @ slopes / len(gradients)

    def transform(self, coefficients: int) -> Transform:
        """Return the optimal transform to a number of coefficients.

        Blocks are centred on the mean of each channel, not of each position, since the bias of a
        transposed convolution can only restore the former.
        """
        mean = self._total / self._blocks
        by_channel = mean.reshape(-1, self._block**2).mean(1)
        level = by_channel.repeat_interleave(self._block**2)
        spread = (
            self._products / self._blocks
            - torch.outer(mean, level)
            - torch.outer(level, mean)
            + torch.outer(level, level)
        )
        information = self._information / self._blocks
        information += torch.eye(len(mean)) * information.diagonal().mean() * _FLOOR
        values, vectors = torch.linalg.eigh(information)
        scale = values.clamp_min(float(values.max()) * 1e-12).sqrt()
        root, inverse = vectors * scale @ vectors.T, vectors / scale @ vectors.T
        directions = torch.linalg.eigh(root @ spread @ root)[1].flip(1)[:, :coefficients]
        return Transform(
            mean=by_channel.float(),
            analysis=(directions.T @ root).float(),
            synthesis=(inverse @ directions).float(),
        )

    def _to_blocks(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the blocks ``[B * blocks, C * block * block]`` of maps ``[B, C, H, W]``."""
        columns = functional.unfold(maps, self._block, stride=self._block)
        return columns.transpose(1, 2).flatten(0, 1).double()


def _set_weights(transform: Transform, encoder: nn.Module, decoder: nn.Module, block: int) -> None:
    """Set the weights of encoder and decoder to compute a transform and its inverse."""
    assert isinstance(encoder, nn.Sequential)
    assert isinstance(decoder, nn.Sequential)
    analysis, synthesis = encoder[0], decoder[1]
    assert isinstance(analysis, nn.Conv2d)
    assert isinstance(synthesis, nn.ConvTranspose2d)
    assert analysis.bias is not None
    assert synthesis.bias is not None
    with torch.no_grad():
        analysis.weight.copy_(transform.analysis.reshape(analysis.weight.shape))
        level = transform.mean.repeat_interleave(block**2)
        analysis.bias.copy_(-transform.analysis @ level)
        synthesis.weight.copy_(transform.synthesis.T.reshape(synthesis.weight.shape))
        synthesis.bias.copy_(transform.mean)


def _laplace(shares: torch.Tensor) -> torch.Tensor:
    """Return a Laplace distribution per channel with the same mean magnitude over the symbols."""
    magnitudes = (torch.arange(shares.shape[1]) - shares.shape[1] // 2).abs()
    mean = (shares * magnitudes).sum(1, keepdim=True).clamp_min(1e-3)
    # The two-sided geometric distribution with ratio q has the mean magnitude 2q / (1 - q^2).
    laplace = (((1 + mean**2).sqrt() - 1) / mean) ** magnitudes
    return laplace / laplace.sum(1, keepdim=True)


def _batches(features: NDArray[np.float16]) -> Iterator[torch.Tensor]:
    for start in range(0, len(features), _BATCH):
        yield torch.from_numpy(features[start : start + _BATCH].astype(np.float32))
