"""A learned codec at run time: its halves, its bitstream and the inputs it rejects."""

import hashlib
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgewright.tools.codec_training.export import entropy_bytes, frequencies_of
from edgewright.tools.codec_training.project import copy_half
from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY
from edgewright.tools.codecs.learned.codec import load_codecs
from edgewright.tools.codecs.learned.exported import ExportedNetworks
from edgewright.tools.codecs.learned.files import CodecFiles
from edgewright.tools.codecs.learned.manifest import (
    DECODER_GRAPH,
    DEVICE_HALF,
    EDGE_HALF,
    ENCODER_GRAPH,
    MANIFEST,
    read_manifest,
)
from edgewright.tools.codecs.learned.torch.halves import TorchNetworks
from edgewright.tools.codecs.registry import codec_for, codecs_at
from edgewright.tools.errors import EdgewrightError, FrameError, InputError, UnavailableError
from edgewright.tools.models.engines.torch import vit
from edgewright.tools.models.source import ModelSource
from edgewright.tools.split.executor import SplitExecutor
from edgewright.tools.vision.classification import NamedClassifier


def code_of(caught: pytest.ExceptionInfo[EdgewrightError]) -> str:
    return caught.value.info().code


def test_decoding_gives_the_features_of_the_symbols(codecs, features, adapter):
    for codec in codecs:
        symbols = codec.quantise(features[np.newaxis])
        received = codec.decode(codec.encode(features))
        assert received.dtype == np.float32
        assert received.shape == adapter.feature_shape(codec.resume_point)
        assert np.array_equal(received, codec.dequantise(symbols)[0])


def test_the_exported_networks_equal_those_in_pytorch(trained, adapter, features):
    codec = CodecFiles(trained, adapter)
    exported, original = ExportedNetworks(codec), TorchNetworks(codec, adapter)
    batch = np.stack([features, -features])
    latents = original.encode(batch)
    np.testing.assert_allclose(exported.encode(batch), latents, atol=1e-5)
    np.testing.assert_allclose(exported.decode(latents), original.decode(latents), atol=1e-5)


def test_the_shipped_codecs_have_graphs_that_read_the_halves():
    folder = Path(str(files("edgewright.tools.codecs.learned") / "weights"))
    for manifest in (read_manifest(path.parent) for path in folder.glob("*/manifest.json")):
        assert set(manifest.graphs) == {ENCODER_GRAPH, DECODER_GRAPH}
    for name in ("encoder.onnx", "decoder.onnx"):
        assert all(path.stat().st_size < 4000 for path in folder.glob(f"*/{name}"))


def test_a_codec_without_graphs_needs_pytorch(trained, adapter, tmp_path):
    shutil.copytree(trained, tmp_path / "codec")
    manifest = read_manifest(trained).model_copy(update={"graphs": {}})
    (tmp_path / "codec" / MANIFEST).write_text(manifest.model_dump_json())
    with pytest.raises(UnavailableError) as caught:
        ExportedNetworks(CodecFiles(tmp_path / "codec", adapter))
    assert code_of(caught) == "codec_not_exported"
    assert load_codecs(tmp_path / "codec", adapter)


def test_each_half_works_without_the_other(codecs, features, trained, adapter, tmp_path):
    for half, missing in (("device", EDGE_HALF), ("edge", DEVICE_HALF)):
        copy_half(trained, half, tmp_path / half)
        assert not (tmp_path / half / missing).exists()
    device, edge = (load_codecs(tmp_path / half, adapter)[1] for half in ("device", "edge"))
    payload = device.encode(features)
    assert payload == codecs[1].encode(features)
    assert np.array_equal(edge.decode(payload), codecs[1].decode(payload))
    for call in (lambda: device.decode(payload), lambda: edge.encode(features)):
        with pytest.raises(UnavailableError) as caught:
            call()
        assert code_of(caught) == "codec_half_missing"


def test_a_stream_is_hardly_longer_than_its_information(codecs, features):
    for codec in codecs:
        symbols = codec.quantise(features[np.newaxis])[0]
        information = entropy_bytes(codec.tables, symbols)
        assert information <= len(codec.encode_symbols(symbols)) <= information + 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=40))
def test_arbitrary_payloads_are_refused_or_decode_to_finite_features(codecs, payload):
    try:
        received = codecs[0].decode(payload)
    except FrameError as error:
        assert error.info().code == "frame_payload"
    else:
        assert np.isfinite(received).all()


def test_a_payload_too_long_for_the_symbols_is_refused_without_decoding(codecs):
    with pytest.raises(FrameError) as caught:
        codecs[0].decode(b"\1" * 1000)
    assert code_of(caught) == "frame_payload"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(codecs, features, value):
    features[1, 2] = value
    with pytest.raises(InputError) as caught:
        codecs[0].encode(features)
    assert code_of(caught) == "features_not_finite"


def test_another_shape_is_refused(codecs, features):
    with pytest.raises(InputError) as caught:
        codecs[0].encode(features[:-1])
    assert code_of(caught) == "features_shape"


@pytest.mark.parametrize("magnitude", [1e6, 3e38])
def test_huge_features_are_clipped_to_the_ends_of_the_tables(codecs, features, magnitude):
    huge = np.full_like(features, magnitude)
    assert np.isfinite(codecs[0].decode(codecs[0].encode(huge))).all()


def test_rate_points_have_distinct_fingerprints(codecs):
    assert [codec.name for codec in codecs] == ["tiny-1", "tiny-2"]
    assert len({codec.fingerprint for codec in codecs}) == 2
    with pytest.raises(FrameError):
        # Each rejects the frames of the other.
        from edgewright.tools.codecs.frame import pack, unpack

        unpack(pack(b"payload", codecs[0]), codecs[1])


def test_a_codec_of_other_weights_is_refused(trained, tiny_vit, tmp_path):
    from safetensors.torch import load_file, save_file

    other = tmp_path / "vit"
    shutil.copytree(tiny_vit, other)
    weights = load_file(other / "model.safetensors")
    weights["classifier.bias"] += 1
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnavailableError) as caught:
        load_codecs(trained, vit.load(ModelSource(str(other))))
    assert code_of(caught) == "codec_of_other_model"


def test_a_damaged_half_is_refused(trained, adapter, features, tmp_path):
    copy_half(trained, "device", tmp_path)
    data = bytearray((tmp_path / DEVICE_HALF).read_bytes())
    data[-1] ^= 1
    (tmp_path / DEVICE_HALF).write_bytes(data)
    with pytest.raises(UnavailableError) as caught:
        load_codecs(tmp_path, adapter)[0].encode(features)
    assert code_of(caught) == "codec_unreadable"


@pytest.mark.parametrize("content", [None, "{", '{"name": "x"}'])
def test_a_folder_without_a_readable_manifest_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(UnavailableError) as caught:
        read_manifest(tmp_path)
    assert code_of(caught) == "codec_unreadable"


def test_tables_are_exact_integers_and_the_stream_does_not_change(codecs):
    likelihoods = torch.tensor([[1.0, 2.0, 4.0, 2.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0]]).double()
    tables = frequencies_of(likelihoods).numpy().astype(np.uint32)
    assert (tables.sum(axis=1) == TOTAL_FREQUENCY).all()
    assert tables.min() == 1
    for codec in codecs:
        assert (codec.tables.sum(axis=1) == TOTAL_FREQUENCY).all()
        assert codec.tables.min() > 0
    coder = codecs[0]
    coder.__dict__["tables"] = tables
    symbols = np.array([[0, 2, 2, 3, 1, 2, 4], [2, 2, 2, 2, 2, 2, 2]], dtype=np.int32)
    assert hashlib.sha256(coder.encode_symbols(symbols)).hexdigest()[:16] == "5413d5788c0bfcf5"


def test_models_find_the_codecs_trained_for_them(trained, adapter, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    shutil.copytree(trained, tmp_path / "codecs" / "tiny")
    (tmp_path / "codecs" / "damaged").mkdir()
    (tmp_path / "codecs" / "damaged" / MANIFEST).write_text("{}")
    assert list(codecs_at(adapter, 2)) == ["quantised8", "tiny-1", "tiny-2"]
    assert list(codecs_at(adapter, 3)) == ["quantised8"]
    assert codec_for(adapter, 2, "tiny-2").fingerprint != codec_for(adapter, 2).fingerprint


def test_the_executor_resumes_a_frame_at_its_codecs_resume_point(codecs, adapter, jpeg):
    by_name = {codec.name: codec for codec in (codec_for(adapter, 2), *codecs)}
    expert = NamedClassifier("vit", lambda: adapter.label_names)
    executor = SplitExecutor(adapter, {expert.id: expert}, lambda point: by_name)
    encoded = executor.head(jpeg("cat"), 2, "ticket", codec="tiny-1")
    assert len(encoded.frame) < len(executor.head(jpeg("cat"), 2, "other").frame)
    answer = executor.tail(encoded.frame, expert.id, {}).output
    # The decoder includes every block after the cut, so it returns the labels' scores.
    features = adapter.run(adapter.array(adapter.preprocess(decoded(jpeg("cat")))), 0, 2)
    scores = codecs[0].decode(codecs[0].encode(features[0]))
    assert answer == expert.postprocess(scores[np.newaxis], {})
    with pytest.raises(EdgewrightError) as caught:
        executor.head(jpeg("cat"), 2, "third", codec="none")
    assert code_of(caught) == "unknown_codec"


def decoded(data: bytes):
    from edgewright.tools.images.decode import decode

    return decode(data)


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("fashion-vit", "14ad5c83e6e16227"),
        ("easy-vqa-questions", "5b8fbbe0918bd9dd"),
        ("easy-vqa-captions", "3032dc9ab27788e8"),
    ],
)
def test_shipped_codecs_keep_their_fingerprints(name, fingerprint):
    folder = files("edgewright.benchmarks") / "data" / "codecs" / name
    assert read_manifest(Path(str(folder))).fingerprint(0).hex() == fingerprint
