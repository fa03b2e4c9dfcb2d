"""How a codec is made: everything that its weights depend on besides the pictures."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.codec_training.loop import Schedule
from edgewright.tools.errors import NotFoundError


class _CodecRecipe(BaseModel):
    """What every recipe says.

    Attributes:
        name: Name of the codec.
        model: Model id.
        point: Partition point.
        channels: Channels of the latent.
        seed: Of all random choices.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    model: str
    point: int = Field(ge=1)
    channels: int = Field(ge=1, le=1024)
    seed: int = 0

    def changed(self, **changes: Any) -> Self:
        """Return a recipe with other values, checked."""
        return self.model_validate({**self.model_dump(), **changes})


class TransformRecipe(_CodecRecipe):
    """A codec that is computed: how maps fall into blocks, and what a bit is worth.

    Attributes:
        block: Height and width of the blocks that are transformed each by itself; ``channels`` are
            a block's coefficients.
        prices: Nats that a bit is worth at each rate point, from the most bytes to the fewest.
    """

    name: str = "transform"
    block: int = Field(ge=1, le=16)
    prices: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1, max_length=16)

    @property
    def decoder_point(self) -> int:
        """Point at which the decoder's output stands: that of the cut."""
        return self.point

    @property
    def resume_point(self) -> int:
        """Point at which the unchanged model goes on: that of the cut."""
        return self.point


class TrainedRecipe(_CodecRecipe):
    """A codec that is trained: how narrow the bottleneck is, and how long is trained.

    Attributes:
        decoder_point: Point at which the decoder's output stands.
        resume_point: Point at which the unchanged model goes on; the blocks from
            ``decoder_point`` to there are tuned.
        positions: Values in each channel.
        width: Width of the encoder's first layer; each further one is twice as wide.
        decoder_width: Width of the decoder.
        lambdas: Price of a bit for each rate point, in units of the distillation loss.
        early_price: Share of that price that is asked for in the first stage; what is dear before
            the decoder can make anything of it is given up.
        feature_weight: Weight of the distance to the teacher's features in the first stage.
        output_weight: Weight of the divergence from the teacher's labels in the first stage; 0
            leaves out the tail, which is most of the work.
        first: First stage: encoder, prior and decoder learn; the tail is frozen.
        joint: Between the two: everything learns together; None leaves it out.
        second: Second stage: encoder and prior are frozen; decoder and tuned blocks learn.
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


#: Cut behind the patches' embeddings, for each of six layers is a sixth of the network; the decoder
#: takes the place of the first four.
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

#: Cut behind the sixth of sixteen blocks, where the device has run a third of the network. A
#: thousand kinds of things are told apart by little: encoders that were trained on some hundred
#: photographs learnt those by heart, with this cut and with earlier ones, and a transform cannot.
PHOTOGRAPHS = TransformRecipe(
    model="efficientnet-lite0",
    point=7,
    block=2,
    channels=320,
    prices=(3e-7, 1e-6, 4e-6, 2e-5),
)

#: Cut behind the second of sixteen blocks, where the device has run an eighth of the network. Two
#: classes need little of a picture, and the decoder reaches far into the network, so that a
#: training step is cheap; all behind it is tuned. Without the tail a step is cheaper by far, so
#: features alone are distilled for long.
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

#: Cut behind the first of eight layers. Answers need shape and colour alone, and nothing of where
#: the shape is or of what lies around it, so features hardly count; what the answers lose does.
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
    # A quarter of the network, and twice as many bytes.
    "photographs-early": PHOTOGRAPHS.changed(
        point=5, channels=160, prices=(2e-7, 5e-7, 2e-6, 1e-5)
    ),
    "elpv": ELPV,
    "easy-vqa-captions": EASY_VQA,
    "easy-vqa-questions": EASY_VQA.changed(model="blip-vqa"),
}


def recipe_named(name: str) -> TrainedRecipe | TransformRecipe:
    """Return a recipe that ships with the package.

    Raises:
        NotFoundError: There is none of this name (``unknown_recipe``).
    """
    if name not in RECIPES:
        raise NotFoundError(
            f"no recipe {name[:100]!r}; the recipes are {', '.join(RECIPES)}", code="unknown_recipe"
        )
    return RECIPES[name]
