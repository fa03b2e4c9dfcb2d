"""EfficientNet-Lite0 tuned to find defects in solar cells, for the split benchmark.

The images are those of ``elpv-dataset`` (Buerhop-Lutz et al., "A benchmark for visual
identification of defective solar cells in electroluminescence imagery", 2018). Their licence is
non-commercial, so weights trained on them do not ship; they stay in the benchmark's work folder.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from edgewright.benchmarks.common.scores import wilson
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.loop import ReportProgress, Schedule, fit
from edgewright.tools.codecs.learned.torch.tail import weights_of_blocks
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.datasets.sources import ELPV_CLASSES, load_elpv
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.engines.torch.chain import Chain, fingerprint
from edgewright.tools.models.source import ModelSource

LICENCE = "CC-BY-NC-SA-4.0"
_SIZE = (224, 224)
#: Share of the images that is held out for testing.
_TEST_SHARE = 0.25
#: Seed of the split and of everything else that is random.
_SEED = 0
_SCHEDULE = Schedule(epochs=2, batch=32, rate=1e-3, decay=0.05)
#: Number of blocks that stay frozen at their ImageNet weights: edges and grain are the same in any
#: image, and training them would take half of the time.
_FROZEN = 3
#: Momentum of batch norms; the package's default is meant for a hundred thousand steps.
_MOMENTUM = 0.1


def load_samples() -> Samples:
    """Load the images at the network's input size, shuffled, the last quarter for testing.

    Raises:
        NotFoundError: The set is not installed (``data_missing``).
    """
    cells, labels, _ = load_elpv()
    order = np.random.default_rng(_SEED).permutation(len(cells))
    images = [
        np.asarray(Image.fromarray(cells[index]).resize(_SIZE, Image.Resampling.BICUBIC))
        for index in order
    ]
    return Samples(
        name="elpv",
        images=np.stack(images)[..., None],
        labels=labels[order],
        classes=ELPV_CLASSES,
        original_side=cells.shape[1],
        test=np.arange(len(cells)) >= (1 - _TEST_SHARE) * len(cells),
    )


def tuned(training: ImageSet, validation: ImageSet, work: Path, report: ReportProgress) -> Chain:
    """Return the tuned network; tune it, or resume, unless an earlier call has finished.

    Args:
        training: Labelled images to train on.
        validation: Images for the accuracy in the manifest.
        work: Folder of the weights, which get a subfolder named by a digest of the recipe.
        report: Called after every step.
    """
    recipe = {
        "schedule": asdict(_SCHEDULE), "seed": _SEED, "frozen": _FROZEN, "momentum": _MOMENTUM,
        "pictures": training.name, "count": training.count,
    }  # fmt: skip
    identity = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:8]
    folder = work / f"base-{identity}"
    if not (folder / "manifest.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        adapter = _train(training, folder / "checkpoint.pt", report)
        weights = {name: one.contiguous() for name, one in adapter.network.state_dict().items()}
        save_file(weights, folder / efficientnet.WEIGHTS)
        correct = _count_correct(adapter, validation)
        manifest = {
            "model": adapter.model,
            "revision": fingerprint(weights),
            "recipe": recipe,
            "source": {"name": training.name, "licence": LICENCE, "count": training.count},
            "validation_accuracy": correct / validation.count,
            "validation_interval": wilson(correct, validation.count),
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
        (folder / "checkpoint.pt").unlink()
    return efficientnet.load_tuned(ModelSource(str(folder)))


def _train(training: ImageSet, checkpoint: Path, report: ReportProgress) -> Chain:
    labels = training.answers.truth
    assert labels is not None
    torch.manual_seed(_SEED)
    adapter = efficientnet.load_for_tuning(int(labels.max()) + 1)
    network, last = adapter.network, len(adapter.block_names)
    network.to(memory_format=torch.channels_last)
    learned = weights_of_blocks(adapter, _FROZEN, last)
    for name in learned:
        network.get_parameter(name).requires_grad_(True)
    for name, module in network.named_modules():
        if f"{name}.weight" in learned and isinstance(module, torch.nn.BatchNorm2d):
            module.train().momentum = _MOMENTUM
    images = [adapter.preprocess(image) for image in training.read()]

    def loss_of(indices: torch.Tensor) -> torch.Tensor:
        batch = torch.cat([_flipped(adapter.tensor(images[index])) for index in indices])
        with torch.no_grad():
            features = adapter.forward(batch, 0, _FROZEN)
        return functional.cross_entropy(adapter.forward(features, _FROZEN, last), labels[indices])

    fit(
        "base model",
        network,
        loss_of,
        samples=len(labels),
        schedule=_SCHEDULE,
        seed=_SEED,
        checkpoint=checkpoint,
        report=report,
    )
    network.eval().requires_grad_(False)
    return adapter


def _flipped(batch: torch.Tensor) -> torch.Tensor:
    """Flip an image vertically half of the time, since a cell has no preferred orientation."""
    return batch.flip(2) if torch.rand(()) < 0.5 else batch


def _count_correct(adapter: Chain, images: ImageSet) -> int:
    """Count the images that the network classifies correctly."""
    assert images.answers.truth is not None
    last = len(adapter.block_names)
    with torch.inference_mode():
        scores = [
            adapter.forward(adapter.tensor(adapter.preprocess(image)), 0, last)
            for image in images.read()
        ]
    return int((torch.cat(scores).argmax(1) == images.answers.truth).sum())
