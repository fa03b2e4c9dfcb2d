"""The model fitted to a catalogue: requests in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.planner.embedded import evidence
from edgewright.agents.planner.embedded.evidence import Evidence, Flags, Judge, Verdict
from edgewright.agents.planner.embedded.words import Words
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import MiniLM, minilm
from edgewright.agents.text.heads import Features, Heads
from edgewright.agents.text.vector_cache import VectorCache, encode_cached


@dataclass(frozen=True)
class Texts:
    """The texts of requests and their sentence vectors.

    Attributes:
        wholes: The requests.
        whole_vectors: float32 ``[R, D]``.
        clauses: The clauses of all requests.
        clause_vectors: float32 ``[C, D]``.
        owner: Index of the request that each clause belongs to, ascending, int ``[C]``.
    """

    wholes: list[str]
    whole_vectors: Vectors
    clauses: list[str]
    clause_vectors: Vectors
    owner: NDArray[np.intp]

    @classmethod
    def of(cls, requests: Sequence[Words], encoder: MiniLM | VectorCache) -> Texts:
        """Encode requests; a repeated text is encoded once."""
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
        """Split an array with one row per clause by request."""
        return np.split(rows, np.searchsorted(self.owner, np.arange(1, len(self.wholes))))


@dataclass(frozen=True)
class RequestModel:
    """Classifies requests by the cards they are for.

    Attributes:
        labels: Card ids first, then ``AS_BEFORE``, then the names of tasks that no card serves.
        tools: Number of labels that lead to tasks: the cards, and ``AS_BEFORE``.
        features: Feature extraction for the heads.
        heads: Softmax over the labels.
        several: Softmax over at most one card, and several.
        vectors: Sentence vectors of the examples, float32 ``[N, D]``.
        truth: Share of each label in each example, float32 ``[N, labels]``.
        judge: Weighs the evidence.
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
        self, requests: Sequence[Words], has_image: Flags, can_repeat: Flags
    ) -> tuple[Verdict, list[Vectors]]:
        """Classify a batch of requests, encoded together.

        Args:
            requests: The requests.
            has_image: Which of them come with an image.
            can_repeat: Which of them follow a turn that can be repeated.

        Returns:
            The verdict on all requests, and for each request the label probabilities of its
            clauses, float32 ``[C, labels]``.
        """
        texts = Texts.of(requests, minilm())
        wholes = self.features(texts.wholes, texts.whole_vectors)
        whole = self.heads.probabilities(wholes)
        clause = self.heads.probabilities(self.features(texts.clauses, texts.clause_vectors))
        near = evidence.nearest(texts.whole_vectors, self.vectors, self.truth)
        self._weigh_repeats(whole, can_repeat)
        self._weigh_repeats(near, can_repeat)
        self._weigh_repeats(clause, can_repeat[texts.owner])
        clauses = texts.by_owner(clause)
        several = self.several.probabilities(wholes)[:, 1]
        found = Evidence(whole=whole, clauses=clauses, near=near, several=several)
        return self.judge.verdict(found, self.tools, has_image), clauses

    def _weigh_repeats(self, shares: Vectors, can_repeat: Flags) -> None:
        """Reweigh ``AS_BEFORE`` by whether there is a turn to repeat, in place, and normalise."""
        shares[:, self.tools - 1] *= np.where(can_repeat, evidence.REPEATED, 0)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), evidence.MIN_PROBABILITY)
