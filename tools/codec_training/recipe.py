"""Codec recipes: everything that a codec's weights depend on besides the images."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.codec_training.loop import Schedule
from edgewright.tools.errors import NotFoundError


class _CodecRecipe(BaseModel):
    """Base of all recipes.

    Attributes:
        name: Name of the codec.
        model: Model id.
        point: Partition point.
        channels: Channels of the latent.
        seed: Seed of all random choices.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    model: str
    point: int = Field(ge=1)
    channels: int = Field(ge=1, le=1024)
    seed: int = 0

    def changed(self, **changes: Any) -> Self:
        """Return a validated copy with changed values."""
        return self.model_validate({**self.model_dump(), **changes})


class TransformRecipe(_CodecRecipe):
    """Recipe of a codec that is fitted in closed form: the block size and the price of a bit.

    Attributes:
        block: Height and width of the separately transformed blocks; ``channels`` is the number of
            coefficients per block.
        prices: Price of a bit in nats at each rate point, in descending order of bytes.
    """

    name: str = "transform"
    block: int = Field(ge=1, le=16)
    prices: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1, max_length=16)

    @property
    def decoder_point(self) -> int:
        """Point whose features the decoder outputs: that of the cut."""
        return self.point

    @property
    def resume_point(self) -> int:
        """Point at which the unchanged model resumes: that of the cut."""
        return self.point


class TrainedRecipe(_CodecRecipe):
    """Recipe of a codec that is trained: the bottleneck and the training schedule.

    Attributes:
        decoder_point: Point whose features the decoder outputs.
        resume_point: Point at which the unchanged model resumes; the blocks from ``decoder_point``
            to this point are tuned.
        positions: Values per channel.
        width: Width of the encoder's first layer; it doubles with each layer.
        decoder_width: Width of the decoder.
        lambdas: Price of a bit at each rate point, in units of the distillation loss.
        early_price: Share of that price applied in the first stage. At the full price, the encoder
            would drop information before the decoder has learned to use it.
        feature_weight: Weight of the distance to the teacher's features in the first stage.
        output_weight: Weight of the divergence from the teacher's labels in the first stage; 0
            skips the tail, which is most of the computation.
        first: First stage: trains encoder, prior and decoder; the tail is frozen.
        joint: Optional stage in between that trains everything together; None skips it.
        second: Second stage: trains decoder and tuned blocks; encoder and prior are frozen.
    """

    decoder_point: int
    resume_point: int
    positions: int = 1
    width: int
    decoder_width: int
    lambdas: tuple[float, ...]
    early_price: float = 1.0
    feature_weight: float
    output_weight: float
    first: Schedule
    joint: Schedule | None = None
    second: Schedule


#: Cut after the patch embeddings, since each of the six layers is a sixth of the network; the
#: decoder replaces the first four.
FASHION_VIT = TrainedRecipe(
    name="learned",
    model="vit",
    point=1,
    decoder_point=5,
    resume_point=8,
    channels=16,
    width=64,
    decoder_width=128,
    lambdas=(3e-4, 1e-3, 3e-3, 1e-2),
    feature_weight=0.1,
    output_weight=1.0,
    first=Schedule(epochs=3, batch=256, rate=2e-3),
    second=Schedule(epochs=2, batch=256, rate=1e-3, decay=0.01),
)

#: Cut after the sixth of sixteen blocks, where the device has run a third of the network. Trained
#: encoders overfitted to the few hundred photographs available, with this cut and earlier ones; a
#: transform cannot.
PHOTOGRAPHS = TransformRecipe(
    model="efficientnet-lite0",
    point=7,
    block=2,
    channels=320,
    prices=(3e-7, 1e-6, 4e-6, 2e-5),
)

#: Cut after the second of sixteen blocks, where the device has run an eighth of the network. Two
#: classes need little of an image, and the decoder replaces many blocks, so a training step is
#: cheap; all blocks after it are tuned. Steps without the tail are far cheaper, so features alone
#: are distilled for many epochs.
ELPV = TrainedRecipe(
    name="learned",
    model="efficientnet-lite0-tuned",
    point=3,
    decoder_point=11,
    resume_point=18,
    channels=16,
    positions=196,
    width=48,
    decoder_width=96,
    lambdas=(2.5e-5, 8e-5, 2.5e-4),
    early_price=0.1,
    feature_weight=1.0,
    output_weight=0.0,
    first=Schedule(epochs=5, batch=8, rate=2e-3),
    joint=Schedule(epochs=3, batch=8, rate=5e-4),
    second=Schedule(epochs=1, batch=8, rate=5e-5, decay=0.01),
)

#: Cut after the first of eight layers. Answers depend only on shape and colour, not on the position
#: or surroundings of the shape, so the loss weights features little and answers strongly.
EASY_VQA = TrainedRecipe(
    name="learned",
    model="blip-captioning",
    point=2,
    decoder_point=6,
    resume_point=9,
    channels=12,
    width=48,
    decoder_width=96,
    lambdas=(4e-4, 1.6e-3, 6e-3),
    feature_weight=0.02,
    output_weight=1.0,
    first=Schedule(epochs=10, batch=32, rate=2e-3),
    second=Schedule(epochs=5, batch=32, rate=5e-4, decay=0.01),
)

RECIPES: dict[str, TrainedRecipe | TransformRecipe] = {
    "fashion-vit": FASHION_VIT,
    "photographs": PHOTOGRAPHS,
    # A quarter of the network on the device, with twice as many bytes.
    "photographs-early": PHOTOGRAPHS.changed(
        point=5, channels=160, prices=(2e-7, 5e-7, 2e-6, 1e-5)
    ),
    "elpv": ELPV,
    "easy-vqa-captions": EASY_VQA,
    "easy-vqa-questions": EASY_VQA.changed(model="blip-vqa"),
}


def recipe_named(name: str) -> TrainedRecipe | TransformRecipe:
    """Return a built-in recipe by name.

    Raises:
        NotFoundError: There is no recipe with this name (``unknown_recipe``).
    """
    if name not in RECIPES:
        raise NotFoundError(
            f"unknown recipe {name[:100]!r}; choose one of {', '.join(RECIPES)}",
            code="unknown_recipe",
        )
    return RECIPES[name]
