"""The fitted model of a catalogue: requests in, verdicts out; kept on disk by hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.planner.embedded import evidence
from edgewright.agents.planner.embedded.evidence import Evidence, Flags, Judge, Verdict
from edgewright.agents.planner.embedded.words import Words
from edgewright.agents.text.encoder import (
    MiniLM,
    Vectors,
    minilm,
)
from edgewright.agents.text.heads import Features, Heads
from edgewright.agents.text.vector_cache import VectorCache, encode_cached


@dataclass(frozen=True)
class Texts:
    """The words of requests and their sentence vectors, no text encoded twice.

    Attributes:
        wholes: The requests.
        whole_vectors: float32 ``[R, D]``.
        clauses: The clauses of all requests.
        clause_vectors: float32 ``[C, D]``.
        owner: Request that each clause belongs to, ascending, int ``[C]``.
    """

    wholes: list[str]
    whole_vectors: Vectors
    clauses: list[str]
    clause_vectors: Vectors
    owner: NDArray[np.intp]

    @classmethod
    def of(cls, requests: Sequence[Words], encoder: MiniLM | VectorCache) -> Texts:
        """Encode the words of requests."""
        wholes = [words.whole for words in requests]
        clauses = list(chain.from_iterable(words.clauses for words in requests))
        vectors = encode_cached([*wholes, *clauses], encoder)
        return cls(
            wholes=wholes,
            whole_vectors=vectors[: len(wholes)],
            clauses=clauses,
            clause_vectors=vectors[len(wholes) :],
            owner=np.repeat(np.arange(len(requests)), [len(words.clauses) for words in requests]),
        )

    def by_owner(self, rows: Vectors) -> list[Vectors]:
        """Split what belongs to the clauses by request."""
        return np.split(rows, np.searchsorted(self.owner, np.arange(1, len(self.wholes))))


@dataclass(frozen=True)
class RequestModel:
    """Says what requests ask for.

    Attributes:
        labels: Card ids first, then ``AS_BEFORE``, then the names of tasks that no card serves.
        tools: How many of the labels lead to tasks: the cards, and ``AS_BEFORE``.
        features: What the heads read.
        heads: The softmax over the labels.
        several: The softmax over one card at most, and several.
        vectors: Sentence vectors of the examples, float32 ``[N, D]``.
        truth: Share of each label in what each example asks for, float32 ``[N, labels]``.
        judge: What weighs the evidence.
    """

    labels: tuple[str, ...]
    tools: int
    features: Features
    heads: Heads
    several: Heads
    vectors: Vectors
    truth: Vectors
    judge: Judge

    def read(
        self, requests: Sequence[Words], in_view: Flags, following: Flags
    ) -> tuple[Verdict, list[Vectors]]:
        """Read requests; all their words go through the encoder together.

        Args:
            requests: The words.
            in_view: Which of them have a picture at hand.
            following: Which of them follow a turn that can be repeated.

        Returns:
            The verdict on all of them, and for each the probabilities of the labels for its
            clauses, float32 ``[C, labels]``.
        """
        texts = Texts.of(requests, minilm())
        wholes = self.features(texts.wholes, texts.whole_vectors)
        whole = self.heads.probabilities(wholes)
        clause = self.heads.probabilities(self.features(texts.clauses, texts.clause_vectors))
        near = evidence.nearest(texts.whole_vectors, self.vectors, self.truth)
        self._weigh_before(whole, following)
        self._weigh_before(near, following)
        self._weigh_before(clause, following[texts.owner])
        clauses = texts.by_owner(clause)
        several = self.several.probabilities(wholes)[:, 1]
        found = Evidence(whole=whole, clauses=clauses, near=near, several=several)
        return self.judge.verdict(found, self.tools, in_view), clauses

    def _weigh_before(self, shares: Vectors, following: Flags) -> None:
        """Weigh ``AS_BEFORE`` by whether there is a turn to repeat; the others share the rest."""
        shares[:, self.tools - 1] *= np.where(following, evidence.REPEATED, 0)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), evidence.LEAST)
