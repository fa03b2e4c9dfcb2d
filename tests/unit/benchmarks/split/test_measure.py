"""Points of the split benchmark, measured on a small workload."""

from dataclasses import replace

from edgewright.benchmarks.split.measure import calibrated
from edgewright.benchmarks.split.metrics import Metric
from edgewright.benchmarks.split.tables import CALIBRATED
from edgewright.tools.codec_training.cache import cached_features
from edgewright.tools.codecs.frame import HEADER_BYTES


def test_the_calibrated_codec_is_measured_at_the_same_cut(workload, tmp_path):
    cache = cached_features(
        workload.adapter, workload.test, (1, 1), tmp_path / "test", lambda progress: None
    )
    # Eight images are too few for an accuracy; distances between scores show any change.
    distance = Metric(
        name="distance",
        share=False,
        values=lambda cache, output: (output - cache.outputs).abs().amax(1).double().numpy(),
    )
    measured = calibrated(replace(workload, metric=distance), cache)
    spread = float((cache.outputs[0] - cache.outputs[1]).abs().max())
    assert measured.kind == CALIBRATED
    assert measured.bytes - measured.payload_bytes == HEADER_BYTES
    assert 0 < measured.payload_bytes < 4 * 8 * 8 * 4
    assert 0 < measured.quality < spread / 10
