"""Pretrained networks for the model slot; the only weights that are not trained here."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from edgewright.tools.models.engines.torch.lite0_weights import load_weights

#: Minimum side, in pixels, at which the pretrained features are useful.
_MIN_SIDE = 64
_MEAN, _DEVIATION = 0.498, 0.502  # as in training: (x - 127) / 128


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 with ImageNet weights and a new last layer.

    Small images are enlarged, and grey ones are repeated over three channels.

    Args:
        channels: Channels of the images, 1 or 3.
        classes: Outputs of the new last layer.
        frozen: Whether to train only the last layer and freeze the features.
    """

    def __init__(self, channels: int, classes: int, *, frozen: bool = False) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self._channels = channels
        self.features = EfficientNet.from_name("efficientnet-lite0")
        self.features.load_state_dict(load_weights())
        self.features._fc = nn.Identity()
        self.head = nn.Linear(1280, classes)
        # On a CPU, this network trains about thirty times slower with NCHW convolutions.
        self.to(memory_format=torch.channels_last)
        if frozen:
            self.features.requires_grad_(False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits [B, classes] for float32 images [B, channels, H, W] in 0 to 1."""
        images = images.expand(-1, 3, -1, -1) if self._channels == 1 else images
        side = max(_MIN_SIDE, *images.shape[-2:])
        if images.shape[-2:] != (side, side):
            images = functional.interpolate(
                images, size=(side, side), mode="bilinear", align_corners=False
            )
        images = ((images - _MEAN) / _DEVIATION).contiguous(memory_format=torch.channels_last)
        features: torch.Tensor = self.features(images)
        return self.head(features.flatten(1))  # type: ignore[no-any-return]


def efficientnet_lite0(channels: int, classes: int, *, frozen: bool = False) -> nn.Module:
    """Build a pretrained EfficientNet-Lite0 with a new head; see ``EfficientNetLite0``."""
    return EfficientNetLite0(channels, classes, frozen=frozen)
