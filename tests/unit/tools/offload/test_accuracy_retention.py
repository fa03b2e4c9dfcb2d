"""The shipped accuracy retention covers exactly the shipped codecs."""

from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.models.engines.onnx.quantising import calibration_of
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.offload.accuracy_retention import (
    IMAGE_ENCODINGS,
    WHOLE,
    codec_key,
    image_key,
    known_accuracy_retention,
)


def test_every_encoding_of_the_built_in_model_is_stored(tmp_path, monkeypatch):
    """If it is not, run ``make bench-accuracy-retention``."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))  # without codecs trained on this machine
    adapter = efficientnet.load()
    stored = known_accuracy_retention(adapter.model, adapter.revision)
    encodings = {image_key(*encoding) for encoding in IMAGE_ENCODINGS if encoding[1] is not None}
    for point in range(1, len(adapter.block_names)):
        encodings |= {codec_key(codec) for codec in codecs_at(adapter, point).values()}
    assert encodings == set(stored)
    assert all(0.5 < share <= 1 for share in stored.values())


def test_a_finer_encoding_retains_more():
    adapter = efficientnet.load()
    stored = known_accuracy_retention(adapter.model, adapter.revision)
    for encoding in ("jpeg", "webp", "avif"):
        shares = [
            stored[image_key(name, quality)]
            for name, quality in IMAGE_ENCODINGS
            if name == encoding
        ]
        assert shares == sorted(shares)


def test_other_weights_have_no_stored_values():
    assert known_accuracy_retention("efficientnet-lite0", "0" * 16) == {}


def test_the_shipped_calibration_keeps_98_percent_with_every_codec_that_was_measured():
    adapter = efficientnet.load()
    calibration = calibration_of(adapter.model, adapter.revision)
    identity = (adapter.model, adapter.revision, "int8", calibration.fingerprint)
    stored = known_accuracy_retention(*identity)
    assert stored[WHOLE] >= 0.98
    assert stored.keys() == {WHOLE, *known_accuracy_retention(adapter.model, adapter.revision)}
    assert known_accuracy_retention(*identity[:3], "0" * 16) == {}
