"""The images that the parts of a request are about, by their mentions and what came before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, zip_longest

from edgewright.agents.planner.embedded.conversation import Conversation
from edgewright.agents.planner.embedded.grammar.asked import is_amount
from edgewright.agents.planner.embedded.grammar.clauses import segment
from edgewright.agents.planner.embedded.grammar.conditions import Piece
from edgewright.agents.planner.embedded.grammar.coordination import (
    asked_of_each,
    compared,
    gapped,
    headed,
    headings,
    requests,
    without_heading,
)
from edgewright.agents.planner.embedded.grammar.finding import mentions
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.negation import bars
from edgewright.agents.planner.embedded.grammar.questions import guard_of
from edgewright.agents.planner.embedded.grammar.references import (
    STAND_IN,
    Mention,
    without_mentions,
)
from edgewright.agents.planner.embedded.grammar.rewriting import selected
from edgewright.agents.planner.embedded.grammar.sentences import states
from edgewright.agents.planner.embedded.grammar.told import told
from edgewright.agents.planner.embedded.ordering import Images, MissingImageError, own_numbers
from edgewright.tools.contracts.images import ImageRef

_WORD = re.compile(r"\w+")
_WHICH = re.compile(r"\W*(?:and\s+)?which\s+of\b", re.IGNORECASE)
_WHICH_THERE = re.compile(
    rf"\W*(?:(?:and|or|&)\s+)?(?:what|which|where|who|how\s+many)(?:\s+ones?)?(?:\s+(?:in|on|at|for|about))?\s+{STAND_IN}\W*",
    re.IGNORECASE,
)
#: Says why an image is left out: "the third is just my thumb".
_UNNEEDED = re.compile(
    r"\b(?:just|(?<!the\s)only|merely|mistake|accident(?:al(?:ly)?)?|ignore|skip|forget|leave|irrelevant|unimportant|decorative|whatever|already|later|myself"
    r"|(?:doesn't|don't)\s+(?:matter|count|belong)|(?:not|isn't|aren't)\s+(?:relevant|important|mine|part|needed)"
    r"|(?:can|may)\s+(?:stay|wait|be\s+left)|for\s+(?:next|another|tomorrow|later|the\s+\w+$)"
    r"|duplicate|thumb|finger|slipped\s+in|out\s+of\s+it|dull|boring|uninteresting|sold|too\s+(?:dark|blurry|blurred)|blurry|blurred)\b",
    re.IGNORECASE,
)
_PLACE_ALONE = re.compile(
    rf"(?:(?:and|or|what|how|about)\s+)*(?:(?:in|on|at|for|with|of)\s+)?{STAND_IN}\s*\?+",
    re.IGNORECASE,
)
#: Longer questions are read as they are.
_MAX_QUESTION = 300
_PLACE_LAST = re.compile(
    r"(?P<asked>.*\b(?:how|what|which|where|who|is|are|does|do|has|have)\b[^?]*?)\s*,?\s+(?P<place>and\s+(?:in|on|at|for)\s+[^,?]{2,40}\?)",
    re.IGNORECASE | re.DOTALL,
)
#: A clause with the mark or the word that joins it to the next.
_CLAUSE = re.compile(r"(?:(?!\sbut\s)(?:[^,;:.!?]|[.](?=\w)))+(?:[,;:.!?]+\s*|\sbut\s+|$)")
_JOINT = re.compile(
    r"(?:(?:and|but|so|like|well|oh|ps|btw|because|since|as)\b[\s,]*)*", re.IGNORECASE
)
#: Around images of which somebody says that they are done: "I've done the others myself".
_DONE_BEFORE = re.compile(
    rf"{_JOINT.pattern}(?:i|we)(?:'ve|\s+have)?\s+(?:already\s+)?(?:\w+ed|done|written(?:\s+up)?|got|had|seen|know)\s+(?:the\s+|my\s+)?",
    re.IGNORECASE,
)
_DONE_AFTER = re.compile(
    r"(?:\s+(?:already|myself|ourselves|by\s+hand|yesterday|today|before))*[\s,;:.!]*",
    re.IGNORECASE,
)
_IT = re.compile(r"^(?:it|they)\b|\b(?:it|them|there)$", re.IGNORECASE)
_INSTEAD = re.compile(rf"\W*{any_of('instead')}\b", re.IGNORECASE)
_AFTER_COMMA = re.compile(r"\s*[,;]\s*(?:(?:and|but|as|because)\s+)?$", re.IGNORECASE)
_CONNECTION = re.compile(r"^(?:and|but|then|also|please|just|first|now|so)\s+", re.IGNORECASE)


@dataclass
class Mentioned:
    """Finds which images a text is about, and remembers them for what follows.

    Attributes:
        conversation: The images and turns before.
        problems: What to say about images that are not there.
        aside: The images mentioned so far, which "the others" are not.
        latest: The images of the latest clause that mentioned any.
        looked: Whether that clause only said to look at them: "look at the first".
        told: Words that the person said of each image.
    """

    conversation: Conversation
    problems: list[str] = field(default_factory=list)
    aside: list[ImageRef] = field(default_factory=list)
    latest: Images | None = None
    looked: bool = False
    told: tuple[frozenset[str], ...] = ()
    _read: dict[str, list[Mention]] = field(default_factory=dict)

    def names_some(self, words: str) -> bool:
        """Return whether words say which of several images they are about."""
        found = self.mentions(words)
        return any(each.kind not in ("here", "all", "them", "both", "that") for each in found)

    def set_aside(self, words: str) -> None:
        """Remember the images that words mention which request nothing."""
        found = [replace(each, excluded=False) for each in self.mentions(words)]
        if not self.conversation.pointed and len(self.conversation.focus) > 1:
            found = [each for each in found if each.kind != "that"]  # which one is not known yet
        # In "leave the shed out of this", only the shed is left out.
        found = [each for each in found if each.kind not in ("here", "them")] or found
        focus = self.conversation.focus
        if [each.kind for each in found] == ["others"] and not self.aside and len(focus) == 2:
            self.conversation.bar(focus[1:])  # "describe this picture, but leave the other out"
            return
        images = self.resolved(found)
        if images and bars(words[: found[0].start]):
            self.conversation.bar(images)
        elif images and _INSTEAD.match(words):
            self.latest = images  # "instead of classifying the second, caption it"

    def without_told(self, text: str) -> str:
        """Return a text without what it only says about images, and remember what it says."""
        seen = self.conversation.seen
        if len(seen) < 2:
            return text
        if own_numbers(seen):
            labelled = [each for each in self.mentions(text) if each.labelled]
            self.conversation.labels = tuple(n for each in labelled for n in each.numbers)
        found = told(text, self.mentions, self._places)
        earlier = self.conversation.presented
        if found.words or any(earlier):
            self.told = tuple(
                found.words.get(n, frozenset()) | earlier[n] for n in range(len(seen))
            )
            self._read.clear()
            told_of = [seen[n] for n in found.words]
            self.aside += told_of if len(told_of) < len(seen) else []
        return self._without_unneeded(found.rest)

    def _places(self, found: Sequence[Mention]) -> tuple[int, ...]:
        """Return the indices of the images that mentions mean, or of those that came together."""
        conversation = self.conversation
        images: Images = () if found else conversation.batch
        try:
            for each in found:
                images += conversation.resolve([each], images)
        except MissingImageError:
            return ()
        conversation.pointed = ()
        return tuple(map(conversation.seen.index, images))

    def _without_unneeded(self, text: str) -> str:
        """Return a text without clauses that only say that images do not matter, and bar these."""
        kept = text
        clauses = _CLAUSE.findall(text)
        for clause, after in zip_longest(clauses, clauses[1:], fillvalue=""):
            goes_on = clause.rstrip().endswith(",") and _IT.search(after.strip(" .!?"))
            if not goes_on and self._unneeded(clause.strip()):
                kept = kept.replace(clause, "", 1)
        kept = kept.strip(" ,;")
        return kept if _WORD.search(kept) else text

    def _unneeded(self, clause: str) -> bool:
        """Bar the images of a clause if it only says that they do not matter; return if it does."""
        found = self.mentions(clause)
        first = found[0] if found else None
        if first is None or first.kind in ("here", "that", "again", "all", "them", "both"):
            return False
        before, after = clause[: first.start], clause[first.end :]
        said = _UNNEEDED.search(after) and states(f"{STAND_IN}{after}") and _JOINT.fullmatch(before)
        if not said and not (_DONE_BEFORE.fullmatch(before) and _DONE_AFTER.fullmatch(after)):
            return False
        try:
            images = self.conversation.resolve([first], self.aside, ())
        except MissingImageError:
            return False
        fewer = len(images) < len(self.conversation.focus)
        if fewer:
            self.conversation.bar(images)
            self.aside += images
        return fewer

    def mentions(self, text: str) -> list[Mention]:
        """Return the mentions of images in a text, in order."""
        if not text or not self.conversation.seen:
            return []
        if text not in self._read:
            self._read[text] = mentions(
                text, self.conversation.names, self.told, self.conversation.topics
            )
        return self._read[text]

    def reworded(self, text: str) -> str:
        """Return a text with stand-ins for its mentions."""
        return without_mentions(text, self.mentions(text))

    def spelled_out(self, said: Sequence[str]) -> list[str]:
        """Return sentences with whole questions for "and in the second?"."""
        found: list[str] = []
        for sentence in chain.from_iterable(map(self._parted, said)):
            new = self.mentions(sentence)
            old = self.mentions(found[-1]) if found and found[-1].endswith("?") else []
            if len(new) == len(old) == 1 and _PLACE_ALONE.fullmatch(
                _cut(sentence, new[0], STAND_IN)
            ):
                named = sentence[new[0].start : new[0].end]
                sentence = _cut(found[-1], old[0], named)
            found.append(sentence)
        return found

    def _parted(self, sentence: str) -> list[str]:
        """Cut "and in the second?" off a question about another image."""
        brief = sentence.endswith("?") and len(sentence) <= _MAX_QUESTION
        match = _PLACE_LAST.fullmatch(sentence) if brief else None
        if not match or not self.mentions(match["asked"]):
            return [sentence]
        place = match["place"]
        new = self.mentions(place)
        alone = len(new) == 1 and _PLACE_ALONE.fullmatch(_cut(place, new[0], STAND_IN))
        return [f"{match['asked']}?", place] if alone else [sentence]

    def selected(self, sentence: str) -> str:
        """Return a sentence about the images that show something as a condition on each."""
        told = selected(sentence, several=len(self.conversation.seen) > 1)
        named = any(each.kind == "name" for each in self.mentions(sentence))
        return sentence if named else told

    def resolved(self, found: Sequence[Mention]) -> Images | None:
        """Return the images that mentions mean; None if there are none, which is said."""
        seen, barred = self.conversation.seen, self.conversation.barred
        found = [
            each
            for each in found
            if not (each.bare and each.kind == "name" and barred)
            or any(seen[n] not in barred for n in each.numbers)
        ]
        if not found:
            return None
        try:
            images = self.conversation.resolve(found, self.aside, self.latest or ())
        except MissingImageError as error:
            self.problems.append(str(error))
            return None
        self.problems += self.conversation.problems
        self.aside += images
        return images

    def about(self, piece: Piece) -> Images | None:
        """Return the images that a condition names; None if it names none."""
        if piece.guard and not piece.about and self.mentions(piece.text):
            return self.conversation.focus  # "if so" after a question of the turn before
        found = self.mentions(piece.about)
        same = _IT.search(piece.about) or is_amount(piece.about) or self.looked
        if not found and self.latest and same and not piece.after and self.mentions(piece.text):
            return self.latest  # "Caption the first. If there's a dog in it, caption the second."
        return self.resolved(found) if found else None

    def runs(self, text: str, ahead: list[Mention]) -> Iterator[tuple[str, Images]]:
        """Yield the runs of clauses about the same images, with stand-ins for their mentions.

        Args:
            text: A sentence, or a part of one.
            ahead: The mentions of the next part that has any.
        """
        text, found = self._without_remark(text, self.mentions(text))
        if whole := self._several(text, found):
            yield from whole
            return
        starts = headings(text, found)
        clauses = headed(text, starts) if starts else requests(text, found) if found else []
        if not clauses:
            if ahead and (images := self.resolved(ahead)):
                yield text, images  # "a caption and a label of the second"
            elif self.latest is None:
                yield text, self.conversation.focus
            elif self.latest:
                yield text, self.latest
            return
        within = [[each for each in found if c.start <= each.start < c.end] for c in clauses]
        about = [
            self._images(clause.text, each, following)
            for clause, each, following in zip(clauses, within, [*within[1:], []], strict=True)
        ]
        before = ""
        for images, group in groupby(zip(about, clauses, strict=True), key=lambda pair: pair[0]):
            run = [clause for _, clause in group]
            start, end = run[0].start, run[-1].end
            inside = [
                replace(each, start=each.start - start, end=each.end - start)
                for each in found
                if start <= each.start < end
            ]
            said = without_mentions(text[start:end], inside)
            # "Number two:" says only which image is next.
            if inside and _WHICH.match(text, start):
                # "Which of them shows a dog?" asks of each whether it does.
                said = guard_of(_WHICH.sub("", said, count=1)).premises[0].question
            said = without_heading(said, sure=start in starts)
            if before and _WHICH_THERE.fullmatch(said):
                said = before  # "what is in the first, and which in the second?"
            before = said
            tells = len(clauses) > len(run) and inside and states(said)
            if images and not tells and said.strip(" ,.:;?!") != STAND_IN:
                yield said, images

    def _without_remark(self, text: str, found: list[Mention]) -> tuple[str, list[Mention]]:
        """Cut off what is only told at the end: "…, the other one is just my desk"."""
        for number, mention in enumerate(found):
            comma = _AFTER_COMMA.search(text, 0, mention.start)
            if number and comma and states(f"{STAND_IN}{text[mention.end :]}"):
                self.resolved(found[:number])
                self.resolved([mention])
                return text[: comma.start()], found[:number]
        return text, found

    def _several(self, text: str, found: list[Mention]) -> list[tuple[str, Images]]:
        """Return what a sentence asks about each of several images, if it leaves words out."""
        alone = len(segment(text)) == 1
        said, pronoun = compared(without_mentions(text, found)) if alone else ("", False)
        if said:
            before = (self.latest or self.conversation.focus) if pronoun else ()
            compared_images = (*before, *(self.resolved(found) or ()))
            return [(said, tuple(dict.fromkeys(compared_images)))]
        said = asked_of_each(without_mentions(text, found)) if alone else ""
        if said:
            images = self.resolved(found) if found else self.latest or self.conversation.focus
            if images and len(images) < 2 and not found:
                images = self.conversation.batch  # "which one is bigger?" after asking about one
            return [(said, images)] if images and len(images) > 1 else []
        about = [(asked, self.resolved([mention])) for asked, mention in gapped(text, found)]
        return [(asked, images) for asked, images in about if images]

    def _images(self, clause: str, found: list[Mention], ahead: list[Mention]) -> Images:
        """Return the images of a clause; none if it means one that does not exist."""
        if found:
            self.latest = self.resolved(found) or ()
            return self.latest
        if ahead and len(_WORD.findall(_CONNECTION.sub("", clause))) == 1:
            return self.resolved(ahead) or ()  # "caption and classify the second"
        return self.conversation.focus if self.latest is None else self.latest


def _cut(text: str, mention: Mention, words: str) -> str:
    """Return a text with other words in the place of a mention."""
    return f"{text[: mention.start]}{words}{text[mention.end :]}"
