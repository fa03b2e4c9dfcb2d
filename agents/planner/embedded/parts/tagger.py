"""Marks the parts of requests by a small network on the vectors of MiniLM's first blocks.

Two transformer blocks decide for each word whether a part begins or goes on there, which task it
names and when that is done; the likeliest sequence is found by the Viterbi algorithm. The network
was fitted to requests marked by hand, by ``scripts/fit_request_parts.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.planner.embedded.parts.features import MAX_WORDS, Words
from edgewright.agents.planner.embedded.parts.part import KINDS, ROLES, STATES, Part
from edgewright.agents.text.array_cache import StoredArrays, is_unchanged, read_arrays
from edgewright.agents.text.blocks import Vectors, block_of, norm_of, normalised
from edgewright.agents.text.encoder import minilm
from edgewright.tools.errors import UnavailableError

#: The network, written by ``scripts/fit_request_parts.py``.
SHIPPED = Path(
    str(files("edgewright.agents.planner.embedded.parts") / "fitted" / "parts.safetensors")
)
#: MiniLM's blocks whose vectors are read; 0 is before the first.
BLOCKS = (0, 2)
#: Number of attention heads.
HEADS = 4

#: What a word is: outside of all parts, the first of a part, or a later one.
OUTSIDE = 0
_LOW = np.float32(-1e9)
#: What it costs, in logits, to begin a part after a word that belongs to none, or to end one before
#: such a word, where no mark and none of these words stands. In marked requests 1 and 3 % do.
_ABRUPT_START, _ABRUPT_END = np.float32(4), np.float32(3)
_JOINTS = frozenset({
    "and", "but", "so", "also", "or", "plus", "ok", "okay", "pls", "please", "yo", "oh", "well",
    "hey", "hmm", "hi", "hello", "now", "thx", "thanks", "wait", "sorry", "lol", "no", "yes",
})  # fmt: skip

_JOINED = re.compile(
    r"[,;:()\n\u2013\u2014]|[.!?][\s\"']+\S|\s[-/+&>]|->|\w+n't\b"
    r"|\b(?:and|but|or|so|if|unless|when|whenever|where|wherever|once|until|should|were|with|without"
    r"|that|every|each|not|no|never|nothing|nobody|none|neither|nor|than|instead|rather|except|besides|only|just|skip"
    r"|leave|ignore|forget|stop|otherwise|else|then|also|too|same|again|another|other|others|both|sure"
    r"|what\s+about|how\s+about|don|dont|doesnt|isnt)\b",
    re.IGNORECASE,
)


def first_of(role: int) -> int:
    """Return the number of the label of a part's first word; that of later ones is one more."""
    return 1 + 2 * role


def _transitions() -> Vectors:
    """Return 0 where a label may follow another and a low value elsewhere, ``[labels, labels]``."""
    count = 1 + 2 * len(ROLES)
    allowed = np.zeros((count, count), np.float32)
    for role in range(len(ROLES)):
        later = first_of(role) + 1
        allowed[:, later] = _LOW
        allowed[[first_of(role), later], later] = 0
    return allowed


def may_have_parts(text: str) -> bool:
    """Return whether a text may be more than one task: it has a mark or a word inside that joins.

    Others need not be read by the network.
    """
    return bool(_JOINED.search(text.strip()))


class Tagger:
    """The network.

    Args:
        stored: Its weights, which have BERT's names.
    """

    def __init__(self, stored: StoredArrays) -> None:
        weights = {name: array.astype(np.float32) for name, array in stored.arrays.items()}
        self._input = weights["input.weight"], weights["input.bias"]
        self._positions = weights["positions"]
        self._norm = norm_of(weights, "norm")
        count = len({name.split(".")[1] for name in weights if name.startswith("block.")})
        self._blocks = [block_of(weights, f"block.{number}.", HEADS) for number in range(count)]
        self._output = weights["output.weight"], weights["output.bias"]
        self._transitions = _transitions()

    def parts(self, texts: Sequence[str]) -> list[tuple[Part, ...]]:
        """Return the parts of texts, in order; none of a text that is too long or too simple."""
        words = [Words.of(text if may_have_parts(text) else "") for text in texts]
        read = [each for each in words if 0 < len(each) <= MAX_WORDS]
        tokens = iter(minilm().tokens([each.text for each in read], after=BLOCKS))
        return [
            tuple(self._parts(each, each.features(next(tokens))))
            if 0 < len(each) <= MAX_WORDS
            else ()
            for each in words
        ]

    def logits(self, features: Vectors) -> list[Vectors]:
        """Return the logits of label, kind and state of each word, float32 ``[W, …]``."""
        weight, bias = self._input
        x = features @ weight.T + bias + self._positions[: len(features)]
        x = normalised(x, self._norm)
        for block in self._blocks:
            x = block(x, [len(x)])
        weight, bias = self._output
        labels = 1 + 2 * len(ROLES)
        return np.split(x @ weight.T + bias, [labels, labels + len(KINDS)], axis=1)

    def _parts(self, words: Words, features: Vectors) -> Iterator[Part]:
        label, kind, state = map(_log_softmax, self.logits(features))
        joints = [words.is_mark(n) or words[n].lower() in _JOINTS for n in range(len(words))]
        path = _best_path(label, self._transitions, joints)
        starts = [n for n, each in enumerate(path) if each != OUTSIDE and each % 2]
        for start in starts:
            end = start + 1
            while end < len(path) and path[end] == path[start] + 1:
                end += 1
            found = Part(
                int(words.spans[start][0]),
                int(words.spans[end - 1][1]),
                ROLES[(path[start] - 1) // 2],
            )
            if found.role == "task":
                kinds, states = (each[start:end].mean(axis=0) for each in (kind, state))
                found = replace(
                    found, kind=KINDS[int(kinds.argmax())], state=STATES[int(states.argmax())]
                )
            yield found


@cache
def shipped_tagger() -> Tagger:
    """Return the network that comes with the package.

    Raises:
        UnavailableError: Its file is missing or was changed.
    """
    stored = read_arrays(SHIPPED)
    if stored is None or not is_unchanged(SHIPPED):
        raise UnavailableError(
            "the planner's reader of requests is damaged; install the package again",
            code="reader_missing",
        )
    return Tagger(stored)


def _best_path(scores: Vectors, transitions: Vectors, joints: Sequence[bool]) -> list[int]:
    """Return the likeliest sequence of labels (Viterbi 1967).

    Args:
        scores: Log-probability of each label for each word, float32 ``[W, labels]``.
        transitions: What is added for a label after another, float32 ``[labels, labels]``.
        joints: Whether each word is a mark or a word that joins parts.
    """
    best = scores[0] + transitions[OUTSIDE]
    back: list[NDArray[np.intp]] = []
    for number, row in enumerate(scores[1:], start=1):
        reached = best[:, None] + transitions
        if not joints[number - 1]:
            reached[OUTSIDE, OUTSIDE + 1 :] -= _ABRUPT_START
        if not joints[number]:
            reached[OUTSIDE + 1 :, OUTSIDE] -= _ABRUPT_END
        back.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + row
    path = [int(best.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return path[::-1]


def _log_softmax(logits: Vectors) -> Vectors:
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: Vectors = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found
