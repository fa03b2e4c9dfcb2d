"""Training of a codec in two stages, for all its rate points at once.

In the first stage, encoder, prior and decoder are distilled from the frozen teacher's features and
answers, with a price per bit. Each step draws one rate point, whose gains scale the latents before
rounding. In the second stage, encoder and prior are frozen, the latents are rounded once, and
decoder and tail are trained on them. In between, a recipe may train everything together: if the
first stage distilled only features, this redirects the bits to what the answers need.

The stages follow Matsubara et al., "Supervised compression for resource-constrained edge computing
systems", WACV 2022; the gains follow Cui et al., "Asymmetric gained deep image compression", CVPR
2021.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from edgewright.tools.codec_training.cache import FeatureCache, read_batch
from edgewright.tools.codec_training.loop import ReportProgress, Schedule, bfloat16_products, fit
from edgewright.tools.codec_training.parts import rounded_latents
from edgewright.tools.codec_training.recipe import TrainedRecipe
from edgewright.tools.codecs.learned.manifest import MAX_REACH, Layout
from edgewright.tools.codecs.learned.torch.networks import (
    check_encoder_size,
    make_decoder,
    make_encoder,
)
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks, weights_of_blocks
from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.torch.chain import Chain

#: Initial gains of the finest and the coarsest rate point.
_FIRST_GAINS = 6.0, 1.5


class Student(nn.Module):
    """All trained modules: both networks, tuned blocks, and a prior and gains per rate point.

    Args:
        adapter: The frozen model.
        recipe: Sizes and rate points.

    Raises:
        InputError: The encoder has too many parameters (``encoder_too_large``).
        UnavailableError: CompressAI is not installed (``compressai_missing``).
    """

    def __init__(self, adapter: Chain, recipe: TrainedRecipe) -> None:
        super().__init__()
        rates = len(recipe.lambdas)
        self.layout = Layout(
            shape=adapter.feature_shape(recipe.point),
            decoded_shape=adapter.feature_shape(recipe.decoder_point),
            channels=recipe.channels,
            positions=recipe.positions,
            width=recipe.width,
            decoder_width=recipe.decoder_width,
        )
        self.encoder = make_encoder(self.layout)
        check_encoder_size(self.encoder)
        self.decoder = make_decoder(self.layout)
        weights = weights_of_blocks(adapter, recipe.decoder_point, recipe.resume_point)
        self.tail = TunedBlocks(adapter, recipe.decoder_point, recipe.resume_point, weights)
        finest, coarsest = map(math.log, _FIRST_GAINS)
        first = torch.linspace(finest, coarsest, rates)
        self.log_gains = nn.Parameter(first[:, None].repeat(1, recipe.channels))
        self.priors = nn.ModuleList(_prior(recipe.channels) for _ in range(rates))

    @property
    def all_gains(self) -> torch.Tensor:
        """Factors ``[rates, channels]`` by which latents are multiplied before rounding."""
        return self.log_gains.detach().exp()

    def gains(self, rate: int) -> torch.Tensor:
        """Return the factors ``[channels, 1]`` by which latents are multiplied before rounding."""
        return self.log_gains[rate].exp()[:, None]

    def likelihoods(self, rate: int) -> torch.Tensor:
        """Return the prior probability of each symbol, ``[channels, 2 MAX_REACH + 1]``."""
        steps = torch.arange(-MAX_REACH, MAX_REACH + 1.0).repeat(self.layout.channels, 1)
        with torch.inference_mode():
            likelihoods: torch.Tensor = self.priors[rate].eval()(steps[None])[1]
        return likelihoods[0]


def train(
    adapter: Chain,
    cache: FeatureCache,
    recipe: TrainedRecipe,
    *,
    folder: Path,
    report: ReportProgress,
) -> Student:
    """Train a codec; after an interruption, a further call resumes after the last full epoch.

    Args:
        adapter: The frozen model.
        cache: Its features and answers for the training images.
        recipe: The recipe.
        folder: Folder for checkpoints.
        report: Called after each step.

    Raises:
        InputError: The recipe does not match the model, or a checkpoint belongs to another training
            run.
        UnavailableError: CompressAI is not installed (``compressai_missing``).
    """
    torch.manual_seed(recipe.seed)
    adapter.network.to(memory_format=torch.channels_last)  # much faster for convolutions
    student = Student(adapter, recipe).to(memory_format=torch.channels_last)
    training = _Training(student, adapter, cache, recipe, folder, report)
    training.first()
    if recipe.joint is not None:
        training.joint(recipe.joint)
    training.second()
    return student.eval()


class _Training:
    """The training stages and their shared state."""

    def __init__(
        self,
        student: Student,
        adapter: Chain,
        cache: FeatureCache,
        recipe: TrainedRecipe,
        folder: Path,
        report: ReportProgress,
    ) -> None:
        self._student = student
        self._adapter = adapter
        self._cache = cache
        self._recipe = recipe
        self._folder = folder
        self._report = report
        self._last = len(adapter.block_names)
        self._spread = _spread(cache.targets)
        self._fast = partial(bfloat16_products, student.layout.decoded_shape)

    def first(self) -> None:
        """Train encoder, priors and decoder with the frozen tail."""
        recipe, student = self._recipe, self._student
        student.tail.requires_grad_(False)

        def loss_of(indices: torch.Tensor) -> torch.Tensor:
            decoded, loss = self._distilled(indices, price=recipe.early_price)
            if recipe.output_weight:
                with self._fast():
                    output = self._adapter.forward(decoded, recipe.decoder_point, self._last)
                divergence = _divergence(
                    _scores(output, self._cache, indices), self._cache, indices
                )
                loss = loss + recipe.output_weight * divergence
            return loss

        self._fit("codec, stage 1", student.train(), loss_of, recipe.first, "stage1.pt")

    def joint(self, schedule: Schedule) -> None:
        """Train everything."""
        self._student.tail.requires_grad_(True)

        def loss_of(indices: torch.Tensor) -> torch.Tensor:
            decoded, loss = self._distilled(indices)
            return loss + answer_loss(self._output(decoded), self._cache, indices)

        self._fit("codec, all of it", self._student.train(), loss_of, schedule, "joint.pt")

    def second(self) -> None:
        """Train decoder and tail on fixed, rounded latents."""
        recipe, student = self._recipe, self._student
        rates = range(len(recipe.lambdas))
        student.eval().requires_grad_(False)
        latents = [rounded_latents(student, self._cache.features, rate) for rate in rates]
        learning = nn.ModuleDict({"decoder": student.decoder, "tail": student.tail})
        learning.requires_grad_(True)

        def loss_of(indices: torch.Tensor) -> torch.Tensor:
            rate = int(torch.randint(len(rates), ()))
            with self._fast():
                decoded = student.decoder(latents[rate][indices].float() / student.gains(rate))
            return answer_loss(self._output(decoded), self._cache, indices)

        self._fit("codec, stage 2", learning, loss_of, recipe.second, "stage2.pt")

    def _distilled(
        self, indices: torch.Tensor, *, price: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Decode a batch at a random rate point; return features and rate-distortion loss."""
        recipe, student, cache = self._recipe, self._student, self._cache
        rate = int(torch.randint(len(recipe.lambdas), ()))
        gains = student.gains(rate)
        with self._fast():
            latents = student.encoder(read_batch(cache.features, indices))
        noisy, likelihoods = student.priors[rate](latents.float() * gains)
        bits = -likelihoods.log2().sum() / len(indices)
        with self._fast():
            decoded = student.decoder(noisy / gains)
        decoded = decoded.float()
        distance = functional.mse_loss(decoded, read_batch(cache.targets, indices)) / self._spread
        cost = price * recipe.lambdas[rate] * bits
        return decoded, cost + recipe.feature_weight * distance

    def _output(self, decoded: torch.Tensor) -> torch.Tensor:
        """Return the output of the model with the tuned blocks."""
        with self._fast():
            tuned = self._student.tail(decoded)
            return self._adapter.forward(tuned, self._recipe.resume_point, self._last)

    def _fit(
        self,
        stage: str,
        module: nn.Module,
        loss_of: Callable[[torch.Tensor], torch.Tensor],
        schedule: Schedule,
        checkpoint: str,
    ) -> None:
        faster = [self._student.log_gains, *self._student.priors.parameters()]
        fit(
            stage,
            module,
            loss_of,
            samples=len(self._cache),
            schedule=schedule,
            seed=self._recipe.seed,
            checkpoint=self._folder / checkpoint,
            report=self._report,
            faster=faster if module is self._student else (),
        )


def answer_loss(output: torch.Tensor, cache: FeatureCache, indices: torch.Tensor) -> torch.Tensor:
    """Return the divergence from the teacher's answers, plus the loss on the true ones if known.

    Args:
        output: The last block's output ``[B, ...]``.
        cache: The teacher's answers and the true ones.
        indices: Indices of the batch's images in the cache, int64 ``[B]``.
    """
    scores = _scores(output, cache, indices)
    loss = _divergence(scores, cache, indices)
    if cache.answers.truth is not None:
        truth = cache.answers.truth[cache.answers.rows(indices)]
        loss = loss + functional.cross_entropy(scores, truth)
    return loss


def _scores(output: torch.Tensor, cache: FeatureCache, indices: torch.Tensor) -> torch.Tensor:
    with bfloat16_products(cache.targets.shape[1:]):
        return cache.answers.scores(output, indices).float()


def _divergence(scores: torch.Tensor, cache: FeatureCache, indices: torch.Tensor) -> torch.Tensor:
    """Return the mean Kullback-Leibler divergence from the teacher's answers, in nats."""
    expected = cache.outputs[cache.answers.rows(indices)]
    return functional.kl_div(
        scores.log_softmax(1), expected.log_softmax(1), reduction="batchmean", log_target=True
    )


def _prior(channels: int) -> nn.Module:
    try:
        # CompressAI compiles some functions in a way that PyTorch has deprecated.
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            from compressai.entropy_models import EntropyBottleneck
    except ImportError:
        raise UnavailableError(
            "training a codec needs CompressAI: pip install 'edgewright[codec]'; it has binary "
            "wheels only for x86-64",
            code="compressai_missing",
        ) from None
    prior: nn.Module = EntropyBottleneck(channels, init_scale=4)
    # Only CompressAI's own coder needs the quantiles; their medians stay 0.
    prior.quantiles.requires_grad_(False)
    return prior


def _spread(targets: Any) -> float:
    """Return the variance of the features, from the first 1000 images."""
    return float(np.var(np.asarray(targets[:1000], dtype=np.float32)))
