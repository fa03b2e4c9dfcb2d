"""From a request to its units: what to do, with which images, and on what condition."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest

from edgewright.agents.planner.embedded.conversation import Conversation
from edgewright.agents.planner.embedded.grammar.acts import (
    Act,
    Address,
    addressed,
    is_closing,
    split_acts,
    thanks,
)
from edgewright.agents.planner.embedded.grammar.conditions import ConditionReader, Piece
from edgewright.agents.planner.embedded.grammar.done import kind_of
from edgewright.agents.planner.embedded.grammar.ellipsis import (
    continued,
    doubts,
    improves,
    repeats,
    says_again,
    topic,
    without_pronouns,
)
from edgewright.agents.planner.embedded.grammar.fragments import completed, plain
from edgewright.agents.planner.embedded.grammar.negation import granted, wanted
from edgewright.agents.planner.embedded.grammar.references import (
    STAND_IN,
    Mention,
    without_mentions,
)
from edgewright.agents.planner.embedded.grammar.remarks import says_nothing
from edgewright.agents.planner.embedded.grammar.rewriting import rewritten
from edgewright.agents.planner.embedded.grammar.sentences import (
    clearly_asks,
    coordinated,
    items,
    may_request,
    only_looks,
    presents,
    sentences,
    states,
)
from edgewright.agents.planner.embedded.mentioned import Mentioned
from edgewright.agents.planner.embedded.parts.part import Kind, Part
from edgewright.agents.planner.embedded.parts.restating import restated
from edgewright.agents.planner.embedded.recalled import recalled
from edgewright.agents.planner.embedded.steps import Unit, repeated
from edgewright.agents.planner.plan import Task
from edgewright.agents.planner.request import PlanRequest

_TRIED = re.compile(
    rf"(?:(?:then|also|just|please)\s+)*(?:check|try|look\s+at|look\s+in|see)\s+{STAND_IN}(?:\s+(?:as\s+well|too|also|instead|next|then|for\s+it))*\W*",
    re.IGNORECASE,
)

#: "If not, use the second."
_OTHER = re.compile(
    rf"(?:(?:then|just|please)\s+)*(?:(?:use|take|do|pick|go\s+(?:with|for))\s+)?{STAND_IN}(?:\s+(?:instead|then|please))*\W*",
    re.IGNORECASE,
)
_NAMED_ALONE = re.compile(
    rf"(?:(?:ok|okay|so|now|and|again|back|to|then|that)\b[\s,]*)*{STAND_IN}\s+again\s*[.!,:]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Understanding:
    """A request as it is read.

    Attributes:
        units: Its parts.
        dropped: Words for what the person does not want.
        problems: What to say about images that are not there, and acts that no card does.
        said: What the person only says to the planner, such as thanks.
        kinds: What its tasks do.
    """

    units: tuple[Unit, ...]
    dropped: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    said: Address = ""
    kinds: frozenset[Kind] = frozenset()


def understand(
    text: str,
    request: PlanRequest,
    *,
    parts: Sequence[Part] = (),
    conditions: bool = True,
    acts: Sequence[Act] = (),
) -> Understanding:
    """Read a request.

    Args:
        text: Its normalised text.
        request: The request, for its images and earlier turns.
        parts: The parts of the text.
        conditions: Whether a card can answer the questions that conditions ask.
        acts: Acts that no card does.
    """
    conversation = Conversation(request)
    reader = _Reader(conversation, images := Mentioned(conversation), acts)
    if address := addressed(text):
        return Understanding((), said=address)
    if thanks(text) and says_nothing(text):
        return Understanding((), said="thanks")
    seen = len(conversation.seen)
    others = seen - len(conversation.focus)
    images.without_told(text)  # what remarks tell of images is known without them
    plainly = restated(text, parts if seen else (), images.names_some)
    remaining = wanted(rewritten(plainly.text, images=seen, others=others))
    remaining = replace(remaining, dropped=(*plainly.dropped, *remaining.dropped))
    reader.unwanted = frozenset(filter(None, map(kind_of, remaining.dropped)))
    for words in remaining.dropped:
        images.set_aside(words)
    if not remaining.text:
        return Understanding((), remaining.dropped, ())
    remaining = replace(remaining, text=images.without_told(remaining.text))
    text = granted(remaining)
    if remaining.dropped and text == remaining.text and says_nothing(text):
        return Understanding((), remaining.dropped, ())
    said = items(text)
    for number, (item, following) in enumerate(zip_longest(said, said[1:], fillvalue="")):
        reader.read(number, item, following, conditions=conditions)
    asked = [unit for unit in reader.units if not _only_says(unit)]
    units = asked or reader.units
    if any(clearly_asks(unit.text) for unit in units):
        units = [unit for unit in units if _is_read(unit) or may_request(unit.text)]
    return Understanding(
        tuple(units),
        remaining.dropped,
        tuple(dict.fromkeys((*images.problems, *reader.problems))),
        kinds=frozenset(part.kind for part in parts if part.role == "task" and part.state != "not"),
    )


def _only_says(unit: Unit) -> bool:
    """Return whether a unit requests nothing: it introduces images or says something of them."""
    if presents(unit.text):
        return True
    tells = states(unit.text) or only_looks(unit.text)
    return tells and not unit.guard and not unit.again


def _is_read(unit: Unit) -> bool:
    """Return whether it is known that a unit requests something."""
    return bool(unit.guard or unit.again or unit.question or not unit.text)


def _adds_nothing(text: str) -> bool:
    """Return whether a text after a doubt does not say what to look at again."""
    return is_closing(text) or states(text)


@dataclass
class _Reader:
    """Reads the items of a request in order.

    Attributes:
        conversation: The images and turns before.
        images: The images that its parts are about.
        acts: Acts that no card does.
        units: The units so far.
        problems: What to say about acts that no card does.
        item: Number of the item of the latest unit.
        noun: What the latest question was about, which a pronoun can stand for.
        unwanted: Kinds of task that the request says not to do.
    """

    conversation: Conversation
    images: Mentioned
    acts: Sequence[Act]
    units: list[Unit] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
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

    @cached_property
    def _conditions(self) -> ConditionReader:
        return ConditionReader(self._question, self.images.reworded)

    def read(self, number: int, item: str, following: str, *, conditions: bool) -> None:
        """Read one item; ``following`` is the next one."""
        found = [Piece(each) for each in sentences(item)]
        if conditions:
            said = [self.images.selected(each) for each in self.images.spelled_out(sentences(item))]
            found = self._conditions.pieces(said, following)
        if not self.units:
            turn = self.conversation.latest
            self.noun = topic(self._question) or topic(turn.request if turn else "")
        for piece, later in zip(found, [*found[1:], None], strict=False):  # perhaps none
            if later and not self.units and self._only_names(piece.text):
                continue
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
            if not self._follow_up(within, goes_on=later is not None):
                self._piece(within, number)

    def _follow_up(self, piece: Piece, *, goes_on: bool) -> bool:
        """Read a piece that leaves its request or question to the turn before.

        Args:
            piece: The piece.
            goes_on: Whether something follows; "not that." before a request repeats nothing.
        """
        turn = self.conversation.latest
        found = self.images.mentions(piece.text)
        if turn is None or not all(map(_only_says, self.units)):
            return False
        if not piece.guard and self._recalled(piece.text, found):
            return True
        new = bool(self.conversation.attached)
        again = repeats(piece.text, found, new_images=new)
        if again and goes_on and not (new or says_again(piece.text) or doubts(piece.text)):
            return False
        if piece.guard and (piece.about or not found) and not (again and says_again(piece.text)):
            return False
        if again and new and improves(piece.text):
            found = []  # what it says of the one before
        if again:
            images = self.images.resolved(found) if found else self.conversation.focus
            if images is not None:
                self.images.latest = images if found else None
                checked = (
                    self.images.about(piece) or self.conversation.focus if piece.guard else None
                )
                self.units += [
                    replace(unit, guard=unit.guard or piece.guard, checked=checked)
                    for unit in repeated(self._still_wanted(turn.tasks), images)
                ]
            return True
        if piece.guard:
            return False
        # "Gloves" with a new image leaves out the question, and the mark.
        mark = "?" if new and re.fullmatch(r"\w+(?:\s\w+)?", piece.text.strip()) else ""
        asked = continued(f"{piece.text}{mark}", self._question)
        if asked:
            self._add(Unit(asked, self.conversation.focus, question=asked), -2)
        return bool(asked)

    def _recalled(self, text: str, found: Sequence[Mention]) -> bool:
        """Read a text that asks for certain tasks of earlier turns again."""
        pointing = [each for each in found if each.kind not in ("both", "all", "them")]
        said = without_mentions(
            text, [replace(each, bare=False) for each in pointing], stand_in=STAND_IN
        )
        new = bool(self.conversation.attached)
        tasks = recalled(said, self.conversation.turns, new_images=new)
        if tasks:
            images = self.images.resolved(pointing) if pointing else None
            self.units += repeated(tasks, images or self.conversation.focus)
        return bool(tasks)

    def _only_names(self, text: str) -> bool:
        """Read a sentence that only says which image the next is about: "the first one again."."""
        found = self.images.mentions(text)
        named = _NAMED_ALONE.fullmatch(self.images.reworded(text))
        if named and (images := self.images.resolved(found)):
            self.images.latest = images
            return True
        return False

    def _still_wanted(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the tasks of the turn before without those that the person does not want now."""
        return [task for task in tasks if task.task_type not in self.unwanted] or list(tasks)

    def _piece(self, piece: Piece, number: int) -> None:
        """Add the units of a piece, one for each run of clauses about the same images."""
        checked = self.images.about(piece)
        if piece.checked:
            assert piece.guard is not None
            images = self.conversation.focus if checked is None else checked
            self._add(Unit("", images, piece.guard), number)
            return
        if checked:
            self.images.latest = checked
        if piece.guard and _TRIED.fullmatch(self.images.reworded(piece.text)):
            # "If not, try the second" asks the same of another image.
            asked = piece.guard.premises[0].question
            images = self.images.resolved(self.images.mentions(piece.text)) or ()
            before = self.units[-1].images if self.units else self.conversation.focus
            self._add(Unit(asked, images, piece.guard, checked or before, question=asked), number)
            return
        if piece.guard and self.units and _OTHER.fullmatch(self.images.reworded(piece.text)):
            # "If not, use the second" does the same with another image.
            images = self.images.resolved(self.images.mentions(piece.text)) or ()
            self._add(
                replace(self.units[-1], images=images, guard=piece.guard, checked=checked), -2
            )
            return
        self.images.looked = only_looks(piece.text)
        parts = coordinated(piece.text)
        for position, part in enumerate(parts):
            later = (self.images.mentions(each) for each in parts[position + 1 :])
            ahead = next((each for each in later if each), [])
            named = bool(self.images.mentions(part))
            for text, images in self.images.runs(part, ahead):
                unit = Unit(text, images, piece.guard, checked, named=named)
                self._add(unit, number, apart=len(parts) > 1)

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
            and (last.images, last.guard, last.checked) == (unit.images, unit.guard, unit.checked)
        )
        if last is not None and alike:
            joint = " " if last.text.rstrip()[-1:] in ".!?:;," else ", "
            self.units[-1] = replace(last, text=f"{last.text}{joint}{unit.text.lstrip()}")
        else:
            self.units.append(unit)
        self.item = number
