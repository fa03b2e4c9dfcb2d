"""The English words that requests to a catalogue are made of."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

from edgewright.agents.planner.embedded.grammar.clauses import VERBS
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, read_grammar, words
from edgewright.agents.planner.embedded.vocabulary import known_tasks
from edgewright.agents.text.encoder import minilm
from edgewright.agents.text.spelling import Speller
from edgewright.tools.cards import CardRegistry

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
#: What requests are about, however seldom the examples say so.
_SPOKEN_OF = re.compile(any_of("tag_noun"))
#: Words that occur less often may be typing errors themselves.
_MIN_COUNT = 2


class Wording:
    """The words of a catalogue's example requests, of well-known tasks and of the grammar.

    Args:
        cards: The catalogue.
    """

    def __init__(self, cards: CardRegistry) -> None:
        self._closed = frozenset(word for word in words("closed_class") if word.isalpha())
        shown = (shown.request for card in cards for shown in card.demonstrations)
        phrases = (phrase for task in known_tasks() for phrase in task.phrases)
        counts = Counter(
            word for text in (*shown, *phrases) for word in _WORD.findall(text.lower())
        )
        self._counts = {
            word: count
            for word, count in counts.items()
            if count >= _MIN_COUNT and word not in words("foreign")
        }
        # Nouns are left alone: a sneaker is no speaker.
        grammar = {*self._closed, *VERBS, *words("spelled")}
        self._grammar = {word: float(counts[word] + 1) for word in grammar}

    def is_common(self, word: str) -> bool:
        """Return whether a word, or the word that it is a slip of, is common English."""
        return (
            word in self._counts
            or word in self._closed
            or word in words("shorthand_english")
            or bool(_SPOKEN_OF.fullmatch(word))
            or self.speller.is_slip(word)
        )

    @cached_property
    def speller(self) -> Speller:
        """Corrects slips to these words in what neither they nor the encoder know."""
        return Speller(
            self._grammar,
            lambda word: word in self._counts or minilm().knows(word),
            self._closed,
            read_grammar("lexicon")["shorthand"],
        )
