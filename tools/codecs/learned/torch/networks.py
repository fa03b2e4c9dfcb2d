"""The networks around the bottleneck: a small encoder on the device, a decoder at the edge.

Transformer features, ``[tokens, channels]``, are encoded to one latent vector for the whole image.
The encoder treats them as a two-dimensional map of patches, so that it recognises an object at any
position. Feature maps, ``[channels, height, width]``, are encoded to a smaller map of latents, or
each of their blocks is transformed separately, with one linear layer on either side.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from edgewright.tools.codecs.learned.manifest import Layout
from edgewright.tools.errors import InputError

#: Maximum number of parameters of an encoder.
MAX_ENCODER_PARAMETERS = 250_000


def make_encoder(layout: Layout) -> nn.Module:
    """Return the network from features ``[B, *shape]`` to latents ``[B, channels, positions]``.

    Raises:
        InputError: There is no encoder for features of this shape (``features_shape``).
    """
    if layout.block:
        analysis = nn.Conv2d(layout.shape[0], layout.channels, layout.block, stride=layout.block)
        return nn.Sequential(analysis, nn.Flatten(2))
    if len(layout.shape) == 2 and layout.shape[0] - math.isqrt(layout.shape[0]) ** 2 in (0, 1):
        tokens, channels = layout.shape
        width = layout.width
        return nn.Sequential(
            PatchMap(math.isqrt(tokens)),
            nn.Conv2d(channels, width, 1),
            nn.ReLU(),
            Residual(width, separable=True),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            Residual(2 * width, separable=True),
            MaxAndMeanPool(),
            nn.Linear(4 * width, layout.channels),
            nn.Unflatten(1, (layout.channels, 1)),
        )
    if len(layout.shape) == 3:
        channels, height, _ = layout.shape
        side, width = math.isqrt(layout.positions), layout.width
        layers: list[nn.Module] = []
        while height > side:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()]
            channels, width, height = width, 2 * width, (height + 1) // 2
            layers += [Residual(channels, separable=True)]
        return nn.Sequential(*layers, nn.Conv2d(channels, layout.channels, 1), nn.Flatten(2))
    raise InputError(
        f"no encoder supports features of shape {layout.shape}; cut at a point with a square patch "
        "grid or a feature map",
        code="features_shape",
    )


def check_encoder_size(encoder: nn.Module) -> None:
    """Check that an encoder is small enough for a device.

    Raises:
        InputError: It has too many parameters (``encoder_too_large``).
    """
    if (parameters := count_parameters(encoder)) > MAX_ENCODER_PARAMETERS:
        raise InputError(
            f"the encoder has {parameters} parameters, more than the limit of "
            f"{MAX_ENCODER_PARAMETERS}; choose a smaller width or fewer channels",
            code="encoder_too_large",
        )


def count_parameters(network: nn.Module) -> int:
    """Count a network's parameters."""
    return sum(weight.numel() for weight in network.parameters())


def make_decoder(layout: Layout) -> nn.Module:
    """Return the network from latents ``[B, channels, positions]`` to ``[B, *decoded_shape]``."""
    if len(layout.decoded_shape) == 2:
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(layout.channels, layout.decoder_width),
            nn.GELU(),
            nn.Linear(layout.decoder_width, math.prod(layout.decoded_shape)),
            nn.Unflatten(1, layout.decoded_shape),
        )
    channels, height, _ = layout.decoded_shape
    side = math.isqrt(layout.positions)
    if layout.block:
        return nn.Sequential(
            nn.Unflatten(2, (side, side)),
            nn.ConvTranspose2d(layout.channels, channels, layout.block, stride=layout.block),
        )
    layers: list[nn.Module] = [
        nn.Unflatten(2, (side, side)),
        nn.Conv2d(layout.channels, layout.decoder_width, 3, padding=1),
        PositionBias(layout.decoder_width, side),
        nn.ReLU(),
    ]
    while side < height:
        layers += [nn.Conv2d(layout.decoder_width, 4 * layout.decoder_width, 1), nn.PixelShuffle(2)]
        layers.append(Residual(layout.decoder_width))
        side *= 2
    layers += [Residual(layout.decoder_width), Residual(layout.decoder_width)]
    return nn.Sequential(*layers, nn.Conv2d(layout.decoder_width, channels, 1))


class PatchMap(nn.Module):
    """Arranges tokens as a two-dimensional map of patches, without the class token.

    Args:
        side: Height and width of the map.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convert ``[B, tokens, channels]`` to ``[B, channels, side, side]``."""
        patches = features[:, -(self._side**2) :].transpose(1, 2)
        return patches.reshape(*patches.shape[:2], self._side, self._side)


class MaxAndMeanPool(nn.Module):
    """Pools a map to the maximum and the mean of each channel."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convert ``[B, channels, side, side]`` to ``[B, 2 channels]``."""
        return torch.cat([features.amax((2, 3)), features.mean((2, 3))], dim=1)


class PositionBias(nn.Module):
    """Adds a learned bias per position, so that typical values need not be sent.

    Args:
        channels: Channels of input and output.
        side: Height and width of the map.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.zeros(channels, side, side))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape, float32 ``[B, channels, side, side]``."""
        return features + self.map


class Residual(nn.Module):
    """Two convolutions whose output is added to their input.

    Args:
        channels: Channels of input and output.
        separable: Use a depthwise 5x5 and a pointwise convolution, which need few MACs, instead of
            two full 3x3 convolutions.
    """

    def __init__(self, channels: int, *, separable: bool = False) -> None:
        super().__init__()
        if separable:
            first = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
            second = nn.Conv2d(channels, channels, 1)
        else:
            first = nn.Conv2d(channels, channels, 3, padding=1)
            second = nn.Conv2d(channels, channels, 3, padding=1)
        self.layers = nn.Sequential(first, nn.ReLU(), second)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape, float32 ``[B, channels, H, W]``."""
        refined: torch.Tensor = features + self.layers(features)
        return refined
