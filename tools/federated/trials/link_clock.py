"""The link clock: simulated duration of a round with given links and devices."""

from __future__ import annotations

from collections.abc import Iterable

from edgewright.tools.federated.records.trial import ClientRound, LinkSpeed

_BYTES_PER_KB = 1000
_FLOP_PER_GFLOP = 1e9


def round_seconds(
    clients: Iterable[ClientRound],
    link: LinkSpeed,
    *,
    flop_per_sample: float,
    local_epochs: float,
) -> float:
    """Return the simulated duration of a round in seconds: that of the slowest client.

    Args:
        clients: Bytes and training samples of each client.
        link: Rates and device speed.
        flop_per_sample: Floating-point operations to train on one sample once.
        local_epochs: Passes over the samples.
    """
    return max(
        (
            client.bytes_down / (link.downlink_kb_per_s * _BYTES_PER_KB)
            + client.samples
            * local_epochs
            * flop_per_sample
            / (link.device_gflop_per_s * _FLOP_PER_GFLOP)
            + client.bytes_up / (link.uplink_kb_per_s * _BYTES_PER_KB)
            for client in clients
        ),
        default=0.0,
    )
