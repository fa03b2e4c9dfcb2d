"""A codec in closed form: the transform that spends bits where the answers hang on them.

To second order, an error e of the features moves the answers by e'He/2 nats from the uncut model's,
where H is their Fisher information: the mean of gg' over gradients g of log p(y), with y drawn from
the model's own answers. In coordinates in which H is the identity, that is half a squared error,
and there Karhunen's and Loeve's transform makes of a block's values coefficients that tell nothing
of each other, of which many are too small to be sent. Both are taken block by block, the same for
all blocks of a map, from some thousand pictures without labels. Nothing is trained, so there is
little that could be learnt by heart.
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
from edgewright.tools.codecs.learned.networks import (
    check_encoder_size,
    make_decoder,
    make_encoder,
)
from edgewright.tools.codecs.learned.tail import TunedBlocks
from edgewright.tools.errors import InputError
from edgewright.tools.models.engines.torch.chain import Chain

#: How often answers are drawn for each picture.
_DRAWS = 3
#: Share of the mean information that every direction is given, for what no picture has shown.
_FLOOR = 1e-3
#: Share of a channel's table that follows Laplace's law with the same mean size, for symbols that
#: no picture has shown.
_SMOOTH = 1 / 64
#: Most symbols of a channel that may be cut off at the reach.
_MOST_CUT_OFF = 1e-3
#: Pictures run at once; more of them outgrow the processor's caches.
_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A linear transform of a block, and what undoes it.

    An error of one in a coefficient moves the answers by half a nat.

    Attributes:
        mean: float32 ``[C]``, of each channel of the map.
        analysis: float32 ``[K, D]``: a block less its mean, D = C * block * block values, becomes
            K coefficients, in falling order of what they tell.
        synthesis: float32 ``[D, K]``: the way back.
    """

    mean: torch.Tensor
    analysis: torch.Tensor
    synthesis: torch.Tensor


class TransformParts:
    """What is exported of a transform: as of a trained codec, networks, gains and symbols' odds.

    Args:
        adapter: The model.
        recipe: Where it is cut, and the prices of bits.

    Raises:
        InputError: The encoder has more parameters than allowed (``encoder_too_large``).
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
        self._odds: list[torch.Tensor] = []

    def take_over(self, transform: Transform, features: NDArray[np.float16]) -> None:
        """Have the networks compute a transform and its inverse, and count its symbols.

        Args:
            transform: For blocks of this layout.
            features: float16 ``[N, *shape]`` that the symbols are counted in.

        Raises:
            InputError: Too many symbols are beyond the reach (``price_too_low``).
        """
        _compute(transform, self.encoder, self.decoder, self.layout.block)
        self._odds = [self._counted(features, rate) for rate in range(len(self.all_gains))]

    def likelihoods(self, rate: int) -> torch.Tensor:
        """Return how often each symbol is to be expected, ``[channels, 2 MAX_REACH + 1]``."""
        return self._odds[rate]

    def _counted(self, features: NDArray[np.float16], rate: int) -> torch.Tensor:
        channels, symbols = self.layout.channels, 2 * MAX_REACH + 1
        counts = torch.zeros(channels, symbols, dtype=torch.float64)
        at = torch.arange(channels)[:, None] * symbols + MAX_REACH
        for batch in _batches(features):
            with torch.inference_mode():
                latents = self.encoder(batch) * self.all_gains[rate][:, None]
            rounded = latents.round().clamp(-MAX_REACH, MAX_REACH).long()
            places = (rounded + at).flatten()
            counts += torch.bincount(places, minlength=counts.numel()).reshape(counts.shape)
        shares = counts / counts.sum(1, keepdim=True)
        cut_off = shares[:, [0, -1]].amax()
        if cut_off > _MOST_CUT_OFF:
            raise InputError(
                f"at rate point {rate + 1}, {cut_off:.1%} of a coefficient's values are beyond "
                f"{MAX_REACH} steps; give it a higher price",
                code="price_too_low",
            )
        return (1 - _SMOOTH) * shares + _SMOOTH * _laplace(shares)


def step_of(price: float) -> float:
    """Return the quantisation step at which a further bit is worth its price.

    With a step s, a coefficient costs s^2/24 nats, and one bit less each time that s doubles:
    the slope of the one by the other is s^2 ln 2 / 12.

    Args:
        price: Nats that a bit is worth.
    """
    return math.sqrt(12 * price / math.log(2))


def fit_transform(
    adapter: Chain, recipe: TransformRecipe, pictures: ImageSet, report: ReportProgress
) -> TransformParts:
    """Fit a transform to pictures, and count its symbols in them.

    Args:
        adapter: The model; a classifier that is cut where its features are maps.
        recipe: Where, and the prices of bits.
        pictures: At least some hundred.
        report: Told after every batch.

    Raises:
        InputError: The features are no maps that fall into such blocks (``features_shape``), a
            block has fewer values than coefficients are asked for (``too_many_channels``), the
            encoder has more parameters than allowed (``encoder_too_large``), or a rate point's
            steps are so small that many coefficients are beyond the reach (``price_too_low``).
    """
    shape, block = adapter.feature_shape(recipe.point), recipe.block
    if len(shape) != 3 or shape[1] % block or shape[2] % block or shape[1] != shape[2]:
        raise InputError(
            f"features of shape {shape} do not fall into blocks of {block} by {block}; cut at "
            "another point, or choose another block",
            code="features_shape",
        )
    if recipe.channels > shape[0] * block**2:
        raise InputError(
            f"a block has {shape[0] * block**2} values, and no more coefficients than that; "
            f"{recipe.channels} are asked for",
            code="too_many_channels",
        )
    parts = TransformParts(adapter, recipe)
    features, moments = _seen(adapter, recipe, pictures, report)
    parts.take_over(moments.transform(recipe.channels), features)
    return parts


def _seen(
    adapter: Chain, recipe: TransformRecipe, pictures: ImageSet, report: ReportProgress
) -> tuple[NDArray[np.float16], Moments]:
    """Return the features of pictures, and the moments of them and of their gradients."""
    torch.manual_seed(recipe.seed)
    point, last = recipe.point, len(adapter.block_names)
    moments = Moments(adapter.feature_shape(point)[0], recipe.block)
    kept: list[NDArray[np.float16]] = []
    images, done = pictures.read(), 0
    while batch := list(islice(images, _BATCH)):
        with torch.no_grad():
            pixels = torch.cat([adapter.tensor(adapter.preprocess(image)) for image in batch])
            features = adapter.run(pixels, 0, point)
        kept.append(features.numpy().astype(np.float16))
        features.requires_grad_(True)
        told = adapter.run(features, point, last).log_softmax(1)
        draws = torch.multinomial(told.detach().exp(), _DRAWS, replacement=True)
        gradients = [
            torch.autograd.grad(told.gather(1, draw[:, None]).sum(), features, retain_graph=True)[0]
            for draw in draws.unbind(1)
        ]
        moments.add(features.detach(), gradients)
        done += len(batch)
        report(EpochProgress(f"answers to {pictures.name}", done, pictures.count, 0.0))
    return np.concatenate(kept), moments


class Moments:
    """Second moments of blocks of features, and of the gradients of the answers by them.

    Args:
        channels: Of the maps.
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
        """Count pictures in.

        Args:
            features: float32 ``[B, C, H, W]``.
            gradients: Each likewise, of log p(y) for an answer y drawn for each picture.
        """
        values = self._cut(features)
        self._blocks += len(values)
        self._total += values.sum(0)
        self._products += values.T @ values
        for gradient in gradients:
            slopes = self._cut(gradient)
            self._information += slopes.T @ slopes / len(gradients)

    def transform(self, coefficients: int) -> Transform:
        """Return the best transform to so many coefficients.

        Blocks are taken about the mean of each channel, not of each of its places: that is what
        the bias of a transposed convolution can give back.
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

    def _cut(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the blocks ``[B * blocks, C * block * block]`` of maps ``[B, C, H, W]``."""
        columns = functional.unfold(maps, self._block, stride=self._block)
        return columns.transpose(1, 2).flatten(0, 1).double()


def _compute(transform: Transform, encoder: nn.Module, decoder: nn.Module, block: int) -> None:
    """Have the two networks of a layout with blocks compute a transform and its inverse."""
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
    """Return Laplace's law over the same symbols with the same mean size, for each channel."""
    sizes = (torch.arange(shares.shape[1]) - shares.shape[1] // 2).abs()
    mean = (shares * sizes).sum(1, keepdim=True).clamp_min(1e-3)
    # Powers of q, on either side of 0, have the mean size 2q / (1 - q^2).
    law = (((1 + mean**2).sqrt() - 1) / mean) ** sizes
    return law / law.sum(1, keepdim=True)


def _batches(features: NDArray[np.float16]) -> Iterator[torch.Tensor]:
    for start in range(0, len(features), _BATCH):
        yield torch.from_numpy(features[start : start + _BATCH].astype(np.float32))
