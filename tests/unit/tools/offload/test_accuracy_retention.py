"""What codings leave of a model's accuracy ships for the very codecs that ship."""

from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.offload.accuracy_retention import (
    codec_key,
    image_key,
    known_accuracy_retention,
)
from edgewright.tools.offload.profile import IMAGE_ENCODINGS


def test_every_coding_of_the_built_in_model_is_known(tmp_path, monkeypatch):
    """If it is not: ``make bench-agreements`` measures what has changed."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))  # no codecs of this machine's own
    adapter = efficientnet.load()
    known = known_accuracy_retention(adapter.model, adapter.revision)
    encodings = {image_key(*encoding) for encoding in IMAGE_ENCODINGS if encoding[1] is not None}
    for point in range(1, len(adapter.block_names)):
        encodings |= {codec_key(codec) for codec in codecs_at(adapter, point).values()}
    assert encodings == set(known)
    assert all(0.5 < share <= 1 for share in known.values())


def test_a_finer_coding_leaves_more():
    adapter = efficientnet.load()
    known = known_accuracy_retention(adapter.model, adapter.revision)
    for encoding in ("jpeg", "webp", "avif"):
        shares = [
            known[image_key(name, quality)] for name, quality in IMAGE_ENCODINGS if name == encoding
        ]
        assert shares == sorted(shares)


def test_other_weights_are_not_known():
    assert known_accuracy_retention("efficientnet-lite0", "0" * 16) == {}
