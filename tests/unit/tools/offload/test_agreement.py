"""What codings leave of a model's accuracy ships for the very codecs that ship."""

from edgewright.tools.offload.agreement import codec_key, image_key, known_agreements
from edgewright.tools.offload.profile import IMAGE_CODINGS
from edgewright.tools.split.adapters import efficientnet
from edgewright.tools.split.codecs import codecs_at


def test_every_coding_of_the_built_in_model_is_known(tmp_path, monkeypatch):
    """If it is not: ``make bench-agreements`` measures what has changed."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))  # no codecs of this machine's own
    adapter = efficientnet.load()
    known = known_agreements(adapter.model, adapter.revision)
    codings = {image_key(*coding) for coding in IMAGE_CODINGS if coding[1] is not None}
    for point in range(1, len(adapter.block_names)):
        codings |= {codec_key(codec) for codec in codecs_at(adapter, point).values()}
    assert codings == set(known)
    assert all(0.5 < share <= 1 for share in known.values())


def test_a_finer_coding_leaves_more():
    adapter = efficientnet.load()
    known = known_agreements(adapter.model, adapter.revision)
    for coding in ("jpeg", "webp", "avif"):
        shares = [
            known[image_key(name, quality)] for name, quality in IMAGE_CODINGS if name == coding
        ]
        assert shares == sorted(shares)


def test_other_weights_are_not_known():
    assert known_agreements("efficientnet-lite0", "0" * 16) == {}
