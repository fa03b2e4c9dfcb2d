"""Receivers tuned to a lossy encoding."""

import torch

from edgewright.benchmarks.split.images import send
from edgewright.benchmarks.split.receivers import tuned_receiver


def test_a_receiver_learns_from_decoded_images_and_is_stored(workload, tmp_path):
    steps = []

    def tuned() -> torch.nn.Module:
        return tuned_receiver(
            workload, "jpeg", features=tmp_path, work=tmp_path / "work", report=steps.append
        )

    receiver = tuned()
    assert steps[-1].steps == 20 * 2
    adapter = workload.adapter
    sent = [send(image, "jpeg", 5).image for image in workload.training.read()]
    features = adapter.forward(torch.cat([adapter.tensor(one) for one in sent]), 0, 1)
    errors_before, errors_after = (
        (scores.argmax(1) != workload.training.answers.truth).double().mean()
        for scores in (adapter.forward(features, 1, 2), receiver(features))
    )
    assert errors_after == 0 < errors_before
    count = len(steps)
    assert torch.equal(tuned()(features), receiver(features))
    assert len(steps) == count
