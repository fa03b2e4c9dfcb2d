"""The link clock: how long a round would take over the stated links on the stated devices."""

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
    local_epochs: int,
) -> float:
    """Return a round's simulated seconds: clients work side by side, the slowest one counts.

    Args:
        clients: What moved to and from each client, and how many samples it trained on.
        link: Rates and device speed.
        flop_per_sample: Operations to train on one sample once.
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
