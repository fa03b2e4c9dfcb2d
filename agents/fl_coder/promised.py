"""Shows in a proposal what was read of the person's words, and what is still unclear."""

from __future__ import annotations

from edgewright.agents.fl_coder.constraints.promises import Promises
from edgewright.agents.fl_coder.embedded.private_design import (
    plain_strategy,
    private_design,
    warning,
)
from edgewright.agents.fl_coder.protocol import DesignChoice, Proposal
from edgewright.tools.federated.records.data_card import DataCard


def with_statements(proposal: Proposal, promises: Promises, card: DataCard) -> Proposal:
    """Return the proposal with what was read beside the words, and with questions.

    Args:
        proposal: A coder's proposal.
        promises: What the person said.
        card: Statistics of the data, for the forecast of a privacy budget.
    """
    stated = [each for each in _statements(promises) if each not in proposal.choices]
    questions = list(promises.questions)
    if promises.privacy is not None:
        strategy = plain_strategy(proposal.candidate.strategy)
        design = private_design(promises.privacy, strategy, card)
        if doubt := warning(design, promises.privacy):
            questions.insert(0, doubt)
    return proposal.model_copy(
        update={"choices": (*stated, *proposal.choices), "questions": tuple(questions)}
    )


def _statements(promises: Promises) -> list[DesignChoice]:
    stated = []
    if promises.attackers is not None:
        count = promises.attackers.count
        clients = f"{count} hostile client{'s' if count > 1 else ''} at once"
        stated.append(_read(promises.attackers.words, clients))
    if promises.privacy is not None:
        privacy = promises.privacy
        stated.append(
            _read(
                privacy.words,
                f"differential privacy per {privacy.unit}, epsilon {privacy.epsilon:g}, delta "
                f"{privacy.delta:g}",
            )
        )
    for limit in promises.limits.values():
        value = {
            "rounds": f"at most {limit.value:g} rounds",
            "seconds": f"at most {limit.value:g} seconds of training",
            "total_bytes": f"at most {limit.value:,.0f} bytes from a client in all rounds",
            "bytes": f"at most {limit.value:,.0f} bytes from a client in a round",
            "accuracy": f"enough at {limit.value:.4g} of the validation samples",
            "memory": f"a model of at most {limit.value:,.0f} bytes",
        }[limit.quantity]
        stated.append(_read(limit.words, value))
    if promises.participation is not None:
        part = promises.participation
        stated.append(_read(part.words, f"{part.clients} clients ({part.share:.0%}) in a round"))
    for words, reason in promises.refused:
        stated.append(DesignChoice(words=words, choice="not held", reason=reason))
    for each in promises.unread:
        reason = "nothing that training holds or knows of the data takes it; say what it is for"
        stated += (
            [] if each.topic else [DesignChoice(words=each.words, choice="not used", reason=reason)]
        )
    return stated


def _read(words: str, value: str) -> DesignChoice:
    return DesignChoice(words=words, choice=value, reason="what was read")
