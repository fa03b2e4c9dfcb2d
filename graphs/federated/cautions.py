"""What a person should know about a result besides its figures."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.fl_coder.embedded.diagnosis import left_behind
from edgewright.agents.fl_coder.protocol import Attempt
from edgewright.graphs.federated.decisions import best_point, finished
from edgewright.tools.federated.records.data_card import DataCard

#: Minimum estimated share of wrong labels, and of the errors that these explain, to say so.
_SUSPECT = 0.08
_EXPLAINED = 0.4


def cautions(best: Attempt, attempts: Sequence[Attempt], card: DataCard) -> tuple[str, ...]:
    """List what limits a run's result.

    Args:
        best: The best attempt.
        attempts: All attempts.
        card: Statistics of the data.
    """
    point = best_point(best)
    if point is None:
        return ()
    found = []
    score = point.validation
    if score.suspect_labels >= max(_SUSPECT, _EXPLAINED * (1 - score.accuracy)):
        found.append(
            f"about {score.suspect_labels:.0%} of the validation labels look wrong; they come from "
            "the same source as the training and test labels, which are probably as noisy. The "
            "model is better than its figures: by such labels, none can be right on more than "
            f"about {1 - score.suspect_labels:.0%}"
        )
    found += [
        _behind(client, attempts, score.clients[client] or 0.0, score.accuracy)
        for client in left_behind(score, card)
    ]
    return tuple(found)


def _behind(client: int, attempts: Sequence[Attempt], own: float, all_together: float) -> str:
    """Say that a client is left behind, and what was or could be tried."""
    personal = [
        point.validation.clients[client] or 0.0
        for each in finished(attempts)
        if each.proposal.candidate.personal_head and (point := best_point(each)) is not None
    ]
    hint = (
        f"personal heads reached {max(personal):.0%} there"
        if personal
        else "say that each client wants its own model, for personal heads, or collect more of its "
        "images"
    )
    return f"client {client} is right on {own:.0%} only, all together on {all_together:.0%}; {hint}"
