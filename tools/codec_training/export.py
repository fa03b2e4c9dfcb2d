"""Exporting a codec as two halves and a manifest, and evaluating the exported codec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from edgewright.tools.codec_training.cache import FeatureCache
from edgewright.tools.codec_training.graphs import export_graphs
from edgewright.tools.codec_training.parts import Parts, rounded_latents
from edgewright.tools.codec_training.recipe import TrainedRecipe, TransformRecipe
from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY, Integers
from edgewright.tools.codecs.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.codecs.learned.files import DECODER, ENCODER, GAINS, TABLES, TAIL
from edgewright.tools.codecs.learned.manifest import (
    DEVICE_HALF,
    EDGE_HALF,
    MANIFEST,
    MAX_REACH,
    CodecManifest,
    Figures,
    Source,
    digest_of,
)
from edgewright.tools.codecs.learned.torch.networks import count_parameters
from edgewright.tools.models.engines.torch.chain import Chain

_BATCH = 512


@dataclass(frozen=True)
class CodecScore:
    """Results of a codec for each image.

    Attributes:
        payload_bytes: int64 ``[N]``, size of the payload.
        entropy_bytes: float64 ``[N]``, information in the payload.
        output: float32 ``[N, ...]``, the last block's output after the codec.
    """

    payload_bytes: NDArray[np.int64]
    entropy_bytes: NDArray[np.float64]
    output: torch.Tensor


def export(
    parts: Parts,
    adapter: Chain,
    recipe: TrainedRecipe | TransformRecipe,
    source: Source,
    validation: FeatureCache,
    folder: Path,
) -> CodecManifest:
    """Write both halves, and the manifest with the results of every rate point.

    Args:
        parts: The codec's networks, gains and symbol probabilities.
        adapter: The model that the codec is for.
        recipe: The recipe it was made with.
        source: The images it was trained on.
        validation: The model's features and answers for other images.
        folder: Folder to write to; created if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rates = range(len(parts.all_gains))
    latents = [rounded_latents(parts, validation.features, rate) for rate in rates]
    # Twice the observed maximum, so that outliers of other images are rarely clipped.
    reach = min(MAX_REACH, 2 * max(1, *(int(one.abs().max()) for one in latents)))
    observed = slice(MAX_REACH - reach, MAX_REACH + reach + 1)
    tables = [frequencies_of(parts.likelihoods(rate)[:, observed].double()) for rate in rates]
    shared = {
        TABLES: torch.stack(tables),
        GAINS: parts.all_gains,
    }
    _write(folder / DEVICE_HALF, {**shared, **_named(ENCODER, parts.encoder.state_dict())})
    edge = {**_named(DECODER, parts.decoder.state_dict())}
    edge |= _named(TAIL, parts.tail.named_weights())
    _write(folder / EDGE_HALF, {**shared, **edge})
    unscored = Figures(payload_bytes=0, entropy_bytes=0, same_answers=0)
    manifest = CodecManifest(
        name=recipe.name,
        model=adapter.model,
        revision=adapter.revision,
        point=recipe.point,
        decoder_point=recipe.decoder_point,
        resume_point=recipe.resume_point,
        layout=parts.layout,
        reach=reach,
        rates=tuple(unscored for _ in rates),
        recipe=recipe.model_dump(mode="json"),
        source=source,
        encoder_parameters=count_parameters(parts.encoder),
        device_digest=digest_of(folder / DEVICE_HALF),
        edge_digest=digest_of(folder / EDGE_HALF),
    )
    _save(manifest, folder)
    figures = [
        summarise(score(codec, adapter, validation.features), validation)
        for codec in load_codecs(folder, adapter)
    ]
    manifest = export_graphs(folder, adapter).model_copy(update={"rates": tuple(figures)})
    _save(manifest, folder)
    return manifest


def score(codec: LearnedCodec, adapter: Chain, features: NDArray[np.float16]) -> CodecScore:
    """Encode and decode features with a codec, and run the model after the cut.

    Args:
        codec: The codec.
        adapter: The model.
        features: float ``[N, *shape]`` at the partition point.
    """
    lengths, information, outputs = [], [], []
    last = len(adapter.block_names)
    for start in range(0, len(features), _BATCH):
        symbols = codec.quantise(features[start : start + _BATCH].astype(np.float32))
        lengths += [len(codec.encode_symbols(one)) for one in symbols]
        information += [entropy_bytes(codec.tables, one) for one in symbols]
        with torch.inference_mode():
            decoded = torch.from_numpy(codec.dequantise(symbols))
            outputs.append(adapter.forward(decoded, codec.resume_point, last))
    return CodecScore(np.array(lengths), np.array(information), torch.cat(outputs))


def summarise(score: CodecScore, cache: FeatureCache) -> Figures:
    """Summarise a score over all images.

    Args:
        score: The codec's results for each image.
        cache: The uncut model's answers for the same images.
    """
    uncut, truth = cache.outputs.argmax(1), cache.truth
    with torch.inference_mode():
        predicted = cache.answers.scores(score.output, cache.image_indices).argmax(1)
    return Figures(
        payload_bytes=float(score.payload_bytes.mean()),
        entropy_bytes=float(score.entropy_bytes.mean()),
        same_answers=_share(predicted == uncut),
        accuracy=None if truth is None else _share(predicted == truth),
        uncut_accuracy=None if truth is None else _share(uncut == truth),
    )


def _share(right: torch.Tensor) -> float:
    return float(right.double().mean())


def frequencies_of(likelihoods: torch.Tensor) -> torch.Tensor:
    """Convert probabilities ``[channels, alphabet]`` to int32 frequencies for the coder."""
    alphabet = likelihoods.shape[1]
    shares = likelihoods / likelihoods.sum(1, keepdim=True)
    frequencies = 1 + (shares * (TOTAL_FREQUENCY - alphabet)).floor().to(torch.int32)
    remaining = TOTAL_FREQUENCY - frequencies.sum(1, keepdim=True)
    return frequencies.scatter_add(
        1, frequencies.argmax(1, keepdim=True), remaining.to(torch.int32)
    )


def entropy_bytes(tables: NDArray[np.uint32], symbols: Integers) -> float:
    """Return the size that an ideal coder would reach for symbols ``[channels, positions]``."""
    used = np.take_along_axis(tables, symbols.astype(np.int64), axis=1)
    return float(np.log2(TOTAL_FREQUENCY / used).sum()) / 8


def _named(prefix: str, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": weight for name, weight in weights.items()}


def _write(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)


def _save(manifest: CodecManifest, folder: Path) -> None:
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
