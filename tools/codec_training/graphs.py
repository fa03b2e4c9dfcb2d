"""Exporting a codec's networks to ONNX, for nodes without PyTorch."""

from __future__ import annotations

import json
import struct
import warnings
from contextlib import ExitStack
from pathlib import Path

import onnx
import torch
from onnx.external_data_helper import set_external_data
from torch import nn

from edgewright.tools.codecs.learned.files import CodecFiles
from edgewright.tools.codecs.learned.manifest import (
    DECODER_GRAPH,
    DEVICE_HALF,
    EDGE_HALF,
    ENCODER_GRAPH,
    CodecManifest,
    digest_of,
)
from edgewright.tools.codecs.learned.torch.halves import TorchNetworks
from edgewright.tools.models.engines.onnx.writing import MIN_EXTERNAL_BYTES, OPSET
from edgewright.tools.models.engines.torch.chain import Chain

_LENGTH = struct.Struct("<Q")


def export_graphs(folder: Path, adapter: Chain) -> CodecManifest:
    """Write the graphs of a codec's encoder and decoder beside its halves.

    Weights that a half contains are read from there, so the graphs of most codecs are small.

    Args:
        folder: Folder of the codec, with both halves.
        adapter: The model that it was made for.

    Returns:
        Its manifest with the digests of the graphs; the caller stores it.
    """
    codec = CodecFiles(folder, adapter)
    layout, networks = codec.manifest.layout, TorchNetworks(codec, adapter)
    latents = (layout.channels, layout.positions)
    _export(networks.encoder, layout.shape, folder / ENCODER_GRAPH, folder / DEVICE_HALF)
    decoder, *tuned = networks.decoder_parts
    with ExitStack() as stack:
        blocks = [stack.enter_context(each.in_place()) for each in tuned]
        network = nn.Sequential(decoder, *blocks)
        _export(network, latents, folder / DECODER_GRAPH, folder / EDGE_HALF)
    graphs = {name: digest_of(folder / name) for name in (ENCODER_GRAPH, DECODER_GRAPH)}
    return codec.manifest.model_copy(update={"graphs": graphs})


def _export(network: nn.Module, shape: tuple[int, ...], path: Path, half: Path) -> None:
    with torch.inference_mode(), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            network,
            (torch.zeros(1, *shape),),
            path,
            input_names=["input"],
            output_names=["output"],
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(path)
    stored = _stored_tensors(half)
    for tensor in model.graph.initializer:
        data = onnx.numpy_helper.to_array(tensor).tobytes()
        if len(data) >= MIN_EXTERNAL_BYTES and data in stored:
            tensor.raw_data = data
            set_external_data(tensor, half.name, stored[data], len(data))
            tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())


def _stored_tensors(path: Path) -> dict[bytes, int]:
    """Return the contents of the tensors of a safetensors file, with their offsets in it."""
    data = path.read_bytes()
    (length,) = _LENGTH.unpack_from(data)
    start = _LENGTH.size + length
    header = json.loads(data[_LENGTH.size : start])
    ranges = [entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"]
    return {data[start + begin : start + end]: start + begin for begin, end in ranges}
