"""Train the two small BLIP models on easy-VQA for the split benchmark.

Run ``python -m edgewright.benchmarks.workloads.easy_vqa_blip FOLDER`` after ``pip install
easy-vqa``. After an interruption it resumes at the last epoch. One model writes captions, the other
answers questions; as in BLIP itself, the second starts from the vision tower of the first.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipForQuestionAnswering,
    BlipImageProcessor,
)

from edgewright.benchmarks.common.progress import ProgressLogger
from edgewright.benchmarks.workloads.easy_vqa import LICENCE, answered, load, split_held_out
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.loop import Schedule, bfloat16_products, fit
from edgewright.tools.codecs.learned.manifest import digest_of
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.models.engines.torch.blip import BlipCaptioning, BlipQuestions
from edgewright.tools.models.engines.torch.chain import fingerprint
from edgewright.tools.models.source import ModelSource

CAPTIONS, QUESTIONS = "easy-vqa-captions", "easy-vqa-questions"
#: Network and adapter classes of each model, by its folder's name, in the order of training.
MODELS: dict[str, tuple[Any, Callable[[ModelSource], BlipQuestions | BlipCaptioning]]] = {
    CAPTIONS: (BlipForConditionalGeneration, BlipCaptioning),
    QUESTIONS: (BlipForQuestionAnswering, BlipQuestions),
}
_SCHEDULES = {
    CAPTIONS: Schedule(epochs=14, batch=32, rate=1e-3, decay=0.05),
    QUESTIONS: Schedule(epochs=8, batch=32, rate=5e-4, decay=0.05),
}
_SEED = 0
_SIDE, _PATCH = 64, 8
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]")
_TEXT_LAYERS, _TOWER_LAYERS = 2, 8
_WIDTHS = {"hidden_size": 96, "intermediate_size": 192, "num_attention_heads": 4}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save the models.

    Returns:
        0, or 1 when the data are not installed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the models are written")
    options = parser.parse_args(arguments)
    try:
        for name in MODELS:
            if not (options.folder / name / "manifest.json").exists():
                train(name, options.folder)
    except EdgewrightError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def train(name: str, parent: Path) -> None:
    """Train a model, resuming if interrupted, and write it with a manifest.

    Args:
        name: One of ``MODELS``.
        parent: Parent of the model's folder.

    Raises:
        NotFoundError: The set is not installed (``data_missing``).
    """
    scenes = load("train")
    words = {
        word
        for scene in scenes
        for text in (*scene.captions, *(text for pair in scene.questions for text in pair))
        for word in text.replace("?", " ?").split()
    }
    folder, schedule = parent / name, _SCHEDULES[name]
    adapter = _untrained(name, folder, sorted(words))
    if name == QUESTIONS:
        vision_model = MODELS[CAPTIONS][1](ModelSource(str(parent / CAPTIONS))).network.vision_model
        adapter.network.vision_model.load_state_dict(vision_model.state_dict())
    training_scenes, validation_scenes = split_held_out(scenes)
    training = answered(adapter, training_scenes, part="training", mirrored=True, ends=True)
    validation = answered(adapter, validation_scenes, part="validation")
    network, last = adapter.network, len(adapter.block_names)
    pixels = _pixels(adapter, training)

    def loss_of(indices: torch.Tensor) -> torch.Tensor:
        with bfloat16_products(adapter.feature_shape(1)):
            output = adapter.forward(pixels[indices].float() / 127.5 - 1, 0, last)
            scores = training.answers.scores(output, indices)
        assert training.answers.truth is not None
        truth = training.answers.truth[training.answers.rows(indices)]
        return functional.cross_entropy(scores.float(), truth)

    fit(
        name,
        network.requires_grad_(True).train(),
        loss_of,
        samples=training.count,
        schedule=schedule,
        seed=_SEED,
        checkpoint=folder / "checkpoint.pt",
        report=ProgressLogger("easy-vqa"),
    )
    network.eval().requires_grad_(False).save_pretrained(folder)
    manifest = {
        "model": adapter.model,
        "revision": fingerprint(network.state_dict()),
        "recipe": {"schedule": asdict(schedule), "seed": _SEED},
        "source": {"name": training.name, "licence": LICENCE, "count": training.count},
        "validation_accuracy": _accuracy(adapter, validation),
        "digest": digest_of(folder / "model.safetensors"),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    (folder / "checkpoint.pt").unlink()


def _untrained(name: str, folder: Path, words: Sequence[str]) -> BlipQuestions | BlipCaptioning:
    """Write a model with random weights and this vocabulary, and load it."""
    network_class, adapter_class = MODELS[name]
    vocabulary = {word: index for index, word in enumerate([*_SPECIAL, *words])}
    config = BlipConfig(
        vision_config={
            **_WIDTHS,
            "num_hidden_layers": _TOWER_LAYERS,
            "image_size": _SIDE,
            "patch_size": _PATCH,
        },
        text_config={
            **_WIDTHS,
            "num_hidden_layers": _TEXT_LAYERS,
            "vocab_size": len(vocabulary),
            "encoder_hidden_size": _WIDTHS["hidden_size"],
            "max_position_embeddings": 24,
            "pad_token_id": vocabulary["[PAD]"],
            "sep_token_id": vocabulary["[SEP]"],
            "eos_token_id": vocabulary["[SEP]"],
            "bos_token_id": vocabulary["[DEC]"],
        },
        projection_dim=_WIDTHS["hidden_size"],
    )
    torch.manual_seed(_SEED)
    folder.mkdir(parents=True, exist_ok=True)
    network_class(config).save_pretrained(folder)
    BertTokenizer(vocab=vocabulary, extra_special_tokens=["[DEC]"]).save_pretrained(folder)
    centre = [0.5] * 3
    BlipImageProcessor(
        size={"height": _SIDE, "width": _SIDE}, image_mean=centre, image_std=centre
    ).save_pretrained(folder)
    return adapter_class(ModelSource(str(folder)))


def _pixels(adapter: BlipQuestions | BlipCaptioning, images: ImageSet) -> torch.Tensor:
    """Return all images, uint8 ``[N, 3, H, W]``."""
    inputs = [adapter.tensor(adapter.preprocess(image)) for image in images.read()]
    return ((torch.cat(inputs) + 1) * 127.5).round().to(torch.uint8)


def _accuracy(adapter: BlipQuestions | BlipCaptioning, images: ImageSet) -> float:
    """Return the share of words that the model predicts correctly."""
    assert images.answers.truth is not None
    with torch.inference_mode():
        output = adapter.forward(
            _pixels(adapter, images).float() / 127.5 - 1, 0, len(adapter.block_names)
        )
        scores = images.answers.scores(output, torch.arange(images.count))
    return float((scores.argmax(1) == images.answers.truth).double().mean())


if __name__ == "__main__":
    raise SystemExit(main())
