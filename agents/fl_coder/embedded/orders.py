"""What a person's remarks ask for, and the promises that stand after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.limits import StatedLimit
from edgewright.agents.fl_coder.constraints.promises import Promises, read_promises
from edgewright.agents.fl_coder.protocol import DesignChoice
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard

Change = Callable[[Candidate, DataCard], Candidate]


@dataclass
class Orders:
    """What a person's remarks ask for.

    Attributes:
        purpose: The purpose, in the person's words.
        card: Statistics of the data.
        forgotten: Constraints that no longer count.
        statements: What the remarks state besides orders, to be read like the purpose.
        rounds: The limit on rounds that an ordered number is; None if none was ordered.
        proximal: FedProx's weight that was ordered, 0 for none of it; None if none was ordered.
        avoided: Names of strategies that the person does not want.
        robust: Strategy that was ordered and needs a number of hostile clients; empty if none was.
        choices: What is followed, for the proposal.
        refusals: What is not, each with the reason.
    """

    purpose: str
    card: DataCard
    forgotten: set[Kind] = field(default_factory=set)
    statements: list[str] = field(default_factory=list)
    rounds: StatedLimit | None = None
    proximal: float | None = None
    avoided: set[str] = field(default_factory=set)
    robust: str = ""
    choices: list[DesignChoice] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    _changes: list[Change] = field(default_factory=list)

    @property
    def promises(self) -> Promises:
        """What training must hold: the purpose with the remarks, of which the last one counts."""
        promises = read_promises(
            self.purpose,
            len(self.card.clients),
            remarks=tuple(self.statements),
            without=frozenset(self.forgotten),
        )
        if self.rounds is not None:
            promises = replace(promises, limits=promises.limits | {"rounds": self.rounds})
        if self.proximal is not None:
            promises = replace(promises, proximal=self.proximal)
        if self.robust and promises.attackers is None:
            question = (
                f"How many clients may be hostile at once? {self.robust} needs a number, and the "
                "words give none, so the most that it can tolerate is assumed."
            )
            promises = replace(promises, questions=(*promises.questions, question))
        return promises

    def applied(self, candidate: Candidate) -> Candidate:
        """Return a candidate with everything that the remarks ask for."""
        for change in self._changes:
            candidate = change(candidate, self.card)
        stated = self.promises.participation
        if stated is not None and candidate.participation > stated.share:
            candidate = Candidate.model_validate(
                candidate.model_dump() | {"participation": stated.share}
            )
        return candidate

    @property
    def answer(self) -> str:
        """What is not followed and why, for the person; empty if everything is."""
        return " ".join(self.refusals)

    def state(self, words: str, kinds: frozenset[Kind]) -> None:
        """Note a statement; constraints in it count again if they were forgotten before."""
        self.statements.append(words)
        self.forgotten -= kinds

    def follow(self, words: str, choice: str, change: Change | None = None) -> None:
        """Note what is followed."""
        self.choices.append(DesignChoice(words=words, choice=choice, reason="you asked for it"))
        if change is not None:
            self._changes.append(change)

    def refuse(self, words: str, reason: str) -> None:
        """Note what is not followed, and why."""
        self.refusals.append(f"“{words}” is not followed: {reason}.")
