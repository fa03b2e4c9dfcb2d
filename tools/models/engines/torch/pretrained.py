"""Loading transformers models: only complete ones, and never with code from the hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.preprocessing import Preprocessing
from edgewright.tools.models.source import ModelSource, unreadable_error

#: Files with the image preprocessing; newer releases of transformers write the second.
PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")

# Exceptions that transformers raises for files that are missing, not JSON or of the wrong form.
_LOADING_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError)


def load_network(cls: Any, source: ModelSource) -> Any:
    """Load a model with all of its weights.

    transformers initialises missing weights randomly and only warns; here that is an error.

    Args:
        cls: The model class, a ``PreTrainedModel``.
        source: Source of the weights.

    Raises:
        UnavailableError: Weights are missing or have the wrong shape (``model_incomplete``), or the
            files cannot be read (``model_unreadable``).
    """
    folder = source.folder()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        network, info = cls.from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except _LOADING_ERRORS as error:
        raise unreadable_error(source, error) from error
    incomplete = sorted(info["missing_keys"]) + sorted(
        entry[0] for entry in info["mismatched_keys"]
    )
    if incomplete:
        raise UnavailableError(
            f"{source.name!r} lacks {len(incomplete)} weights of a {cls.__name__}, such as "
            f"{', '.join(incomplete[:3])}; set a folder or revision with the complete model",
            code="model_incomplete",
        )
    return network


def load_part(cls: Any, source: ModelSource, *, files: Sequence[str]) -> Any:
    """Load a processor or a tokenizer from the model's files.

    Args:
        cls: The class to load.
        source: Source of the files.
        files: At least one of these must exist; without any, transformers would create an empty
            instance.

    Raises:
        UnavailableError: The files are missing or cannot be read (``model_unreadable``).
    """
    folder = source.folder()
    if not any((folder / name).is_file() for name in files):
        raise UnavailableError(
            f"{source.name!r} has no {' or '.join(files)}; download the complete model again",
            code="model_unreadable",
        )
    try:
        return cls.from_pretrained(folder, local_files_only=True)
    except _LOADING_ERRORS as error:
        raise unreadable_error(source, error) from error


def preprocessing_of(processor: Any, image_size: int, source: ModelSource) -> Preprocessing:
    """Return the resizing and normalisation of a transformers image processor.

    Args:
        processor: The image processor.
        image_size: Side of the network's input, from the model's configuration.
        source: Source of both, for the error message.

    Raises:
        UnavailableError: Processor and network have different input sizes (``model_unreadable``).
    """
    size, crop_margin = dict(processor.size), None
    if "shortest_edge" in size:
        crop = dict(processor.crop_size)
        crop_margin = size["shortest_edge"] - crop["height"]
        size = crop
    if (size["height"], size["width"]) != (image_size, image_size):
        raise UnavailableError(
            f"{source.name!r} prepares images of {size['width']} x {size['height']} pixels for a "
            f"network of {image_size} x {image_size}; correct its preprocessor_config.json",
            code="model_unreadable",
        )
    scale = 1 / processor.rescale_factor
    mean = processor.image_mean if processor.do_normalize else (0.0,) * 3
    deviation = processor.image_std if processor.do_normalize else (1.0,) * 3
    return Preprocessing(
        size=(image_size, image_size),
        resample=Image.Resampling(int(processor.resample)),
        mean=tuple(value * scale for value in mean),
        deviation=tuple(value * scale for value in deviation),
        crop_margin=crop_margin,
    )
