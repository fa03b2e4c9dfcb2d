"""From a request to its units: what to do, with which images, and on what condition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from edgewright.agents.planner.embedded.conversation import (
    Conversation,
    Images,
    MissingImageError,
    kind_of,
)
from edgewright.agents.planner.embedded.grammar.acts import (
    Act,
    Address,
    addressed,
    is_closing,
    split_acts,
)
from edgewright.agents.planner.embedded.grammar.clauses import segment
from edgewright.agents.planner.embedded.grammar.conditions import Piece, is_amount, pieces
from edgewright.agents.planner.embedded.grammar.coordination import (
    asked_of_each,
    compared,
    gapped,
    headed,
    headings,
    requests,
    without_heading,
)
from edgewright.agents.planner.embedded.grammar.ellipsis import (
    completed,
    continued,
    doubts,
    plain,
    repeats,
    says_again,
    topic,
    without_pronouns,
)
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.negation import bars, granted, wanted
from edgewright.agents.planner.embedded.grammar.questions import guard_of
from edgewright.agents.planner.embedded.grammar.references import (
    STAND_IN,
    Mention,
    mentions,
    without_mentions,
)
from edgewright.agents.planner.embedded.grammar.rewriting import rewritten, selected
from edgewright.agents.planner.embedded.grammar.sentences import (
    coordinated,
    items,
    only_looks,
    presents,
    sentences,
    states,
)
from edgewright.agents.planner.embedded.steps import Unit, repeated
from edgewright.agents.planner.plan import Task
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.contracts.images import ImageRef

_WORD = re.compile(r"\w+")
_WHICH = re.compile(r"\W*(?:and\s+)?which\s+of\b", re.IGNORECASE)
_IT = re.compile(r"^it\b|\bit$", re.IGNORECASE)
_TRIED = re.compile(
    rf"(?:(?:then|also|just|please)\s+)*(?:check|try|look\s+at|look\s+in|see)\s+{STAND_IN}(?:\s+(?:as\s+well|too|also|instead|next|then|for\s+it))*\W*",
    re.IGNORECASE,
)
_INSTEAD = re.compile(rf"\W*{any_of('instead')}\b", re.IGNORECASE)
_AFTER_COMMA = re.compile(r"\s*[,;]\s*(?:(?:and|but|as|because)\s+)?$", re.IGNORECASE)
_CONNECTION = re.compile(r"^(?:and|but|then|also|please|just|first|now|so)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Understanding:
    """A request as it is read.

    Attributes:
        units: Its parts.
        dropped: Words for what the person does not want.
        problems: What to say about images that are not there, and acts that no card does.
        said: What the person only says to the planner, such as thanks.
    """

    units: tuple[Unit, ...]
    dropped: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    said: Address = ""


def understand(
    text: str, request: PlanRequest, *, conditions: bool = True, acts: Sequence[Act] = ()
) -> Understanding:
    """Read a request.

    Args:
        text: Its normalised text.
        request: The request, for its images and earlier turns.
        conditions: Whether a card can answer the questions that conditions ask.
        acts: Acts that no card does.
    """
    reader = _Reader(conversation := Conversation(request), acts)
    if said := addressed(text):
        return Understanding((), said=said)
    seen = len(conversation.seen)
    others = seen - len(conversation.focus)
    remaining = wanted(rewritten(text, images=seen, others=others))
    reader.unwanted = frozenset(filter(None, map(kind_of, remaining.dropped)))
    for words in remaining.dropped:
        reader.set_aside(words)
    if not remaining.text:
        return Understanding((), remaining.dropped, ())
    for number, item in enumerate(items(granted(remaining))):
        reader.read(number, item, conditions=conditions)
    asked = [unit for unit in reader.units if not _only_says(unit)]
    units = asked or reader.units
    return Understanding(tuple(units), remaining.dropped, tuple(dict.fromkeys(reader.problems)))


def _only_says(unit: Unit) -> bool:
    """Return whether a unit requests nothing: it introduces images or says something of them."""
    if presents(unit.text):
        return True
    tells = states(unit.text) or only_looks(unit.text)
    return tells and not unit.guard and not unit.again


def _adds_nothing(text: str) -> bool:
    """Return whether a text after a doubt does not say what to look at again."""
    return is_closing(text) or states(text)


@dataclass
class _Reader:
    """Reads the items of a request in order.

    Attributes:
        conversation: The images and turns before.
        acts: Acts that no card does.
        units: The units so far.
        problems: What to say about images that are not there, and acts that no card does.
        aside: The images mentioned so far, which "the others" are not.
        latest: The images of the latest clause that mentioned any.
        item: Number of the item of the latest unit.
        noun: What the latest question was about, which a pronoun can stand for.
        unwanted: Kinds of task that the request says not to do.
    """

    conversation: Conversation
    acts: Sequence[Act]
    units: list[Unit] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    aside: list[ImageRef] = field(default_factory=list)
    latest: Images | None = None
    item: int = -1
    noun: str = ""
    unwanted: frozenset[str] = frozenset()

    @property
    def _question(self) -> str:
        """The latest question of the turn before."""
        turn = self.conversation.latest
        asked = (
            [task.args["question"] for task in turn.tasks if "question" in task.args]
            if turn
            else []
        )
        return asked[-1] if asked else ""

    def set_aside(self, words: str) -> None:
        """Remember the images that words mention which request nothing."""
        found = [replace(each, excluded=False) for each in self._mentions(words)]
        if not self.conversation.pointed and len(self.conversation.focus) > 1:
            found = [each for each in found if each.kind != "that"]  # which one is not known yet
        images = self._resolved(found)
        if images and bars(words[: found[0].start]):
            self.conversation.bar(images)
        elif images and _INSTEAD.match(words):
            self.latest = images  # "instead of classifying the second, caption it"

    def read(self, number: int, item: str, *, conditions: bool) -> None:
        """Read one item."""
        said = [self._selected(each) for each in sentences(item)] if conditions else sentences(item)
        found = (
            pieces(said, before=self._question, reworded=self._reworded)
            if conditions
            else [Piece(each) for each in said]
        )
        if not self.units:
            turn = self.conversation.latest
            self.noun = topic(self._question) or topic(turn.request if turn else "")
        for piece, later in zip(found, [*found[1:], None], strict=False):  # perhaps none
            if later and doubts(piece.text) and not _adds_nothing(later.text):
                continue  # what follows says what to look at again
            remaining, outside = split_acts(piece.text, self.acts) if piece.text else ("", [])
            self.problems += [act.refusal for act in outside]
            if outside and not remaining:
                continue
            if piece.guard:
                self.noun = topic(piece.guard.premises[0].question) or self.noun
            asked, self.noun = without_pronouns(completed(remaining), self.noun)
            within = replace(piece, text=asked)
            if not self._follow_up(within):
                self._piece(within, number)

    def _follow_up(self, piece: Piece) -> bool:
        """Read a piece that leaves its request or question to the turn before."""
        turn = self.conversation.latest
        found = self._mentions(piece.text)
        if self.units or turn is None:
            return False
        again = repeats(piece.text, found, new_images=bool(self.conversation.attached))
        if piece.guard and (piece.about or not found) and not (again and says_again(piece.text)):
            return False
        if again:
            images = self._resolved(found) if found else self.conversation.focus
            if images is not None:
                self.latest = images if found else None
                checked = self._about(piece) or self.conversation.focus if piece.guard else None
                self.units += [
                    replace(unit, guard=unit.guard or piece.guard, checked=checked)
                    for unit in repeated(self._still_wanted(turn.tasks), images)
                ]
            return True
        if piece.guard:
            return False
        asked = continued(piece.text, self._question)
        if asked:
            self._add(Unit(asked, self.conversation.focus, question=asked), -2)
        return bool(asked)

    def _still_wanted(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the tasks of the turn before without those that the person does not want now."""
        return [task for task in tasks if task.task_type not in self.unwanted] or list(tasks)

    def _piece(self, piece: Piece, number: int) -> None:
        """Add the units of a piece, one for each run of clauses about the same images."""
        checked = self._about(piece)
        if piece.checked:
            assert piece.guard is not None
            images = self.conversation.focus if checked is None else checked
            self._add(Unit("", images, piece.guard), number)
            return
        if checked:
            self.latest = checked
        if piece.guard and _TRIED.fullmatch(self._reworded(piece.text)):
            # "If not, try the second" asks the same of another image.
            asked = piece.guard.premises[0].question
            images = self._resolved(self._mentions(piece.text)) or ()
            before = self.units[-1].images if self.units else self.conversation.focus
            self._add(Unit(asked, images, piece.guard, checked or before, question=asked), number)
            return
        parts = coordinated(piece.text)
        for position, part in enumerate(parts):
            later = (self._mentions(each) for each in parts[position + 1 :])
            ahead = next((each for each in later if each), [])
            for text, images in self._runs(part, ahead):
                unit = Unit(text, images, piece.guard, checked)
                self._add(unit, number, apart=len(parts) > 1)

    def _runs(self, text: str, ahead: list[Mention]) -> Iterator[tuple[str, Images]]:
        """Yield the runs of clauses about the same images, with stand-ins for their mentions.

        Args:
            text: A sentence, or a part of one.
            ahead: The mentions of the next part that has any.
        """
        text, found = self._without_remark(text, self._mentions(text))
        if whole := self._several(text, found):
            yield from whole
            return
        starts = headings(text, found)
        clauses = headed(text, starts) if starts else requests(text, found) if found else []
        if not clauses:
            if ahead and (images := self._resolved(ahead)):
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
            tells = len(clauses) > len(run) and inside and states(said)
            if images and not tells and said.strip(" ,.:;?!") != STAND_IN:
                yield said, images

    def _without_remark(self, text: str, found: list[Mention]) -> tuple[str, list[Mention]]:
        """Cut off what is only told at the end: "…, the other one is just my desk"."""
        for number, mention in enumerate(found):
            comma = _AFTER_COMMA.search(text, 0, mention.start)
            if number and comma and states(f"{STAND_IN}{text[mention.end :]}"):
                self._resolved(found[:number])
                self._resolved([mention])
                return text[: comma.start()], found[:number]
        return text, found

    def _several(self, text: str, found: list[Mention]) -> list[tuple[str, Images]]:
        """Return what a sentence asks about each of several images, if it leaves words out."""
        alone = len(segment(text)) == 1
        said, pronoun = compared(without_mentions(text, found)) if alone else ("", False)
        if said:
            before = (self.latest or self.conversation.focus) if pronoun else ()
            compared_images = (*before, *(self._resolved(found) or ()))
            return [(said, tuple(dict.fromkeys(compared_images)))]
        said = asked_of_each(without_mentions(text, found)) if alone else ""
        if said:
            images = self._resolved(found) if found else self.latest or self.conversation.focus
            if images and len(images) < 2 and not found:
                images = self.conversation.batch  # "which one is bigger?" after asking about one
            return [(said, images)] if images and len(images) > 1 else []
        about = [(asked, self._resolved([mention])) for asked, mention in gapped(text, found)]
        return [(asked, images) for asked, images in about if images]

    def _about(self, piece: Piece) -> Images | None:
        """Return the images that a condition names; None if it names none."""
        if piece.guard and not piece.about and self._mentions(piece.text):
            return self.conversation.focus  # "if so" after a question of the turn before
        found = self._mentions(piece.about)
        same = _IT.search(piece.about) or is_amount(piece.about)
        if not found and self.latest and same and self._mentions(piece.text):
            return self.latest  # "Caption the first. If there's a dog in it, caption the second."
        return self._resolved(found) if found else None

    def _images(self, clause: str, found: list[Mention], ahead: list[Mention]) -> Images:
        """Return the images of a clause; none if it means one that does not exist."""
        if found:
            self.latest = self._resolved(found) or ()
            return self.latest
        if ahead and len(_WORD.findall(_CONNECTION.sub("", clause))) == 1:
            return self._resolved(ahead) or ()  # "caption and classify the second"
        return self.conversation.focus if self.latest is None else self.latest

    def _mentions(self, text: str) -> list[Mention]:
        return mentions(text, self.conversation.names) if text and self.conversation.seen else []

    def _selected(self, sentence: str) -> str:
        """Return a sentence about the images that show something as a condition on each."""
        told = selected(sentence, several=len(self.conversation.seen) > 1)
        named = any(each.kind == "name" for each in self._mentions(sentence))
        return sentence if named else told

    def _reworded(self, text: str) -> str:
        return without_mentions(text, self._mentions(text))

    def _resolved(self, found: Sequence[Mention]) -> Images | None:
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

    def _add(self, unit: Unit, number: int, *, apart: bool = False) -> None:
        """Add a unit, or lengthen the one before if nothing sets it apart."""
        unit = replace(unit, text=plain(unit.text))
        last = self.units[-1] if self.units else None
        alike = (
            last is not None
            and not apart
            and number == self.item
            and last.text
            and unit.text
            and not last.again
            and not (_only_says(last) or _only_says(unit))
            and (last.images, last.guard, last.checked) == (unit.images, unit.guard, unit.checked)
        )
        if last is not None and alike:
            joint = " " if last.text.rstrip()[-1:] in ".!?:;," else ", "
            self.units[-1] = replace(last, text=f"{last.text}{joint}{unit.text.lstrip()}")
        else:
            self.units.append(unit)
        self.item = number
