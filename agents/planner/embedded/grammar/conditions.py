"""Reads conditions: "if there is a dog, describe it", "describe it unless …", "if so, …; else …".

A sentence becomes pieces: what to do, each with the guard it depends on, and questions whose
answers later pieces depend on. "Tell me if there is a dog" asks and is no condition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edgewright.agents.planner.embedded.grammar.asked import Asked, counted
from edgewright.agents.planner.embedded.grammar.checks import (
    TAG,
    asked_by,
    asks,
    claimed_by,
    condition_of,
    named_by,
)
from edgewright.agents.planner.embedded.grammar.clauses import beginning
from edgewright.agents.planner.embedded.grammar.condition_forms import (
    ALSO,
    ANOTHER,
    CHECK_AND,
    COURTESY,
    ELSE,
    END,
    HEAD,
    HEADED,
    HINT,
    INITIAL,
    INNER_ELSE,
    INNER_SO,
    JOINED,
    LAST_SO,
    NO_PREMISE,
    ONLY,
    SELECTED,
    SO,
    alone,
    boundary,
    condition_after,
    does_nothing,
    last_order,
    orders,
    second_order,
    whole_before,
)
from edgewright.agents.planner.embedded.grammar.guards import Guard
from edgewright.agents.planner.embedded.grammar.quantities import of_each, quantity_of
from edgewright.agents.planner.embedded.grammar.questions import guard_of
from edgewright.agents.planner.embedded.grammar.states import is_state
from edgewright.agents.planner.embedded.grammar.telegraphic import joined

#: States that say which images are meant without a look at them: "the new ones".
_NO_CHOICE = re.compile(
    r"new|old|odd|even|same|other|another|different|right|wrong|correct|good|bad|fine|there|here",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Piece:
    """A part of a request.

    Attributes:
        text: What is requested; empty for a piece that is only checked.
        guard: What it depends on, if anything.
        about: The words of the condition, which may say which image is checked.
        checked: Whether the guard is itself a question of the person.
        after: Whether the condition follows what is requested.
    """

    text: str
    guard: Guard | None = None
    about: str = ""
    checked: bool = False
    after: bool = False


def _revokes(read: Sequence[Piece], before: Piece) -> bool:
    """Return whether what was just requested is not done on a condition: "if it's dark, don't"."""
    nothing = len(read) == 1 and read[0].guard and does_nothing(read[0].text)
    ordered = re.match(beginning(), before.text, re.IGNORECASE) and not counted(before.text)
    return bool(nothing and ordered and not before.guard and not asks(before.text))


#: Who means the opposite of "nobody" by "if somebody is".
#: Says whether it is so, as "if there are some" does; "if so" and "otherwise" take up a condition.
_STATED = re.compile(
    r"\b(?:it|there|they|he|she|one|some\w*|any\w*|none|nobody|nothing|neither|(?:we|you)(?!\s+say))\b",
    re.IGNORECASE,
)
#: "Caption the first, and the second too if …".
_TOO = re.compile(r"\b(?:too|as\s+well|also)[\s,]*$", re.IGNORECASE)
_ALLOWED = re.compile(r"^you\s+(?:may|can|could|should)\s+(?:also\s+)?", re.IGNORECASE)


class ConditionReader:
    """Reads the sentences of a request in order and remembers what they ask.

    Args:
        before: The latest question of the conversation, which "if so" can refer to.
        reworded: Rewords what is asked about one image so that it names none.
    """

    def __init__(self, before: str = "", reworded: Callable[[str], str] = str) -> None:
        self._asked = Asked()
        if before and asks(before):
            self._asked.remember(before, guard_of(before), "")
        self._asked.count(before)
        self._reworded = reworded
        self._unless = False
        self._begun = False
        self._claimed = False

    def pieces(self, sentences: Sequence[str], following: str = "") -> list[Piece]:
        """Return the pieces of sentences, in order.

        Args:
            sentences: The sentences of a request or of a list item.
            following: The sentence after them, if there is one.
        """
        found: list[Piece] = []
        sentences = joined(sentences)
        upcoming = [*sentences[1:], following][: len(sentences)]
        for sentence, after in zip(sentences, upcoming, strict=True):
            refers_back = self._is_referred_to(sentence, after)
            if not HINT.search(sentence) and not refers_back and not self._depends(sentence):
                found.append(Piece(sentence))
                self._note(sentence)
                continue
            sentence = re.sub(r"\s+(?=[.,;:!?])", "", COURTESY.sub(_joint, sentence)).strip(" ,")
            sentence = ONLY.sub(r"\g<what> only when ", sentence)
            read = self._read(sentence, refers_back=refers_back)
            if found and _revokes(read, found[-1]) and not HINT.search(after):
                guard = read[0].guard
                read = [replace(found.pop(), guard=guard and guard.negated(), about=read[0].about)]
            found += read
        return [piece for piece in found if piece.checked or not does_nothing(piece.text)]

    def _note(self, sentence: str) -> None:
        """Remember what a sentence asks or counts."""
        self._begun = True
        if asks(sentence):
            self._ask(sentence)
        elif asked := asked_by(sentence):
            self._ask(asked, about=sentence)
        self._asked.count(sentence)

    def _is_referred_to(self, sentence: str, following: str) -> bool:
        """Return whether the sentence that follows depends on the answer to a sentence."""
        if SO.match(following) or ELSE.match(following) or LAST_SO.search(following):
            return True
        if TAG.fullmatch(following):
            return bool(claimed_by(sentence))
        said = asked_by(sentence) or claimed_by(sentence)
        condition = INITIAL.match(following)
        if not said or asks(sentence) or not condition:
            return False
        asked = Asked()
        asked.remember(said, guard_of(said), sentence)
        rest = following[condition.end() :]
        end = boundary(rest)
        return bool(end and asked.meant(rest[: end[0]]))

    def _depends(self, sentence: str) -> bool:
        """Return whether a sentence refers to an answer: "the cracked ones", "is that true?"."""
        if self._claimed and TAG.fullmatch(sentence):
            return True
        return bool((match := SELECTED.search(sentence)) and self._selected(match))

    def _read(self, sentence: str, *, refers_back: bool = False) -> list[Piece]:
        """Read one sentence; ``refers_back`` if the next one depends on its answer."""
        parts = [part for chunk in INNER_ELSE.split(sentence) for part in INNER_SO.split(chunk)]
        found: list[Piece] = []
        for part, more in zip(parts, [*parts[1:], ""], strict=True):
            found += self._part(part, self._is_referred_to(part, more) if more else refers_back)
        self._begun = True
        return found

    def _part(self, part: str, refers_back: bool) -> Iterator[Piece]:
        if match := CHECK_AND.match(part):
            yield from self._part(match["check"], True)
            part = match["rest"]
        if (match := HEADED.match(part)) and HEAD.fullmatch(self._reworded(match["head"])):
            for piece in self._part(part[match.end() :], refers_back):
                yield replace(piece, about=f"{piece.about} {match['head']}".strip())
        else:
            yield from self._unheaded(part, refers_back)

    def _unheaded(self, part: str, refers_back: bool) -> Iterator[Piece]:
        """Read a part that does not begin with the image that it is about."""
        if (match := SELECTED.search(part)) and (found := self._selected(match)):
            yield Piece(_of_each(part, match), replace(found[0], over="each"), found[1])
        elif cut := whole_before(part):
            yield from self._part(part[: cut.start()], refers_back)
            yield from self._part(part[cut.end() :], refers_back)
        elif self._asked.last and (piece := self._on_answer(part, self._asked.last)):
            yield piece
        elif self._claimed and TAG.fullmatch(part):
            return  # "Is there?" after what somebody says, which is asked already
        elif refers_back and (asked := asked_by(part) or named_by(part) or claimed_by(part)):
            self._claimed = bool(claimed_by(part)) and not asked_by(part)
            guard, _ = self._ask(asked, about=part)  # it may name the image before what is asked
            yield Piece("", guard, part, checked=True)
        elif match := INITIAL.match(part):
            yield from self._initial(part, match)
        elif match := condition_after(part, refers=self._refers):
            yield from self._final(part, match)
        else:
            self._note(part)
            yield Piece(part)

    def _on_answer(self, part: str, last: Guard) -> Piece | None:
        """Read what is done on the answer before: "if so, …", "otherwise …", "… if it is"."""
        if match := ELSE.match(part):
            return self._guarded(part[match.end() :], _taken_up(match[0], last).negated())
        if (match := SO.match(part)) and not self._asks_on(match):
            holds = _taken_up(match[0], last)
            other = self._unless and "case" in match["so"].lower()
            return self._guarded(part[match.end() :], holds.negated() if other else holds)
        if match := LAST_SO.search(part):
            holds = _taken_up(match[0], last)
            return self._guarded(part[: match.start()], holds if match["so"] else holds.negated())
        return None

    def _final(self, part: str, match: re.Match[str]) -> Iterator[Piece]:
        """Read a sentence whose condition follows what is to be done."""
        main, condition = part[: match.start()], part[match.end() :]
        own = INITIAL.match(part[match.start() :].lstrip(" ,"))
        apart = JOINED.match(match[0]) or asked_by(main)
        if apart and own and orders(part, match.end()):
            # "Count them, and if …, caption it" begins a second request.
            yield from self._part(main, False)
            yield from self._initial(own.string, own)
            return
        own_image = ""
        only = "only" in match[0].lower() or _TOO.search(main)
        if only and (split := alone(main, self._reworded)):
            always, main, own_image = split
            yield Piece(always)
        order = second_order(condition)
        words = condition[: order.start()] if order else condition
        self._asked.count(main)
        guard, about = self._ask(words, unless=bool(match["unless"]))
        if (count := counted(main)) and counted(guard.premises[0].question) == count:
            # "Count the hens and caption it if there are over ten of them" counts in any case.
            before, main = last_order(main)
            if before:
                yield Piece(before)
        yield replace(self._guarded(main, guard, f"{about} {own_image}".strip()), after=True)
        if order:
            yield from self._part(condition[order.end() :], False)

    def _asks_on(self, match: re.Match[str]) -> bool:
        """Return whether "then" only goes on after the turn before: "then what is it?"."""
        return match["so"].lower() == "then" and not self._asked.about

    def _initial(self, part: str, match: re.Match[str]) -> Iterator[Piece]:
        """Read a sentence that begins with its condition."""
        rest = part[match.end() :]
        end = boundary(rest)
        if end is None or (NO_PREMISE.match(rest) and not self._asked.meant(rest[: end[0]])):
            # "…, don't caption it" has been taken out of it.
            self._asked.count(part)
            dangles = end is None and self._begun and "?" not in part
            yield Piece("" if dangles else part)
            return
        condition, main = rest[: end[0]], _ALLOWED.sub("", rest[end[1] :])
        if match["should"]:
            condition = re.sub(r"^(\w+(?:\s+\w+)?)\s+be\b", r"\1 is", condition)
        guard, about = self._ask(condition, unless=bool(match["unless"]))
        again = re.search(rf"(?:,\s*|\s+)(?={ANOTHER.pattern})", main, re.IGNORECASE)
        if again and boundary(main[again.end() :]):
            yield Piece(END.sub("", main[: again.start()]), guard, about)
            yield from self._part(main[again.end() :], False)
        else:
            yield Piece(END.sub("", main), guard, about)

    def _refers(self, words: str) -> bool:
        return self._asked.meant(words) is not None

    def _guarded(self, text: str, guard: Guard, about: str | None = None) -> Piece:
        where = self._asked.about if about is None else about
        return Piece(END.sub("", text.strip(" ,")), guard, where)

    def _selected(self, match: re.Match[str]) -> tuple[Guard, str] | None:
        """Return the guard of the images that words select by an answer: "the cracked ones"."""
        if word := match["word"]:
            chosen = is_state(word) and not _NO_CHOICE.fullmatch(word)
            return self._asked.meant(word) or ((guard_of(f"it is {word}"), "") if chosen else None)
        if not (last := self._asked.last):
            return None
        about = "" if self._asked.repeated else self._asked.about
        return (last.negated() if match["not"] else last), about

    def _ask(self, words: str, *, unless: bool = False, about: str = "") -> tuple[Guard, str]:
        """Remember a condition, perhaps of several parts.

        Returns:
            The guard, and the words that say which image it is about.
        """
        first, *others = ALSO.split(words)
        guard, where = self._one(first, unless=unless)
        for joint, word, part in zip(others[::3], others[1::3], others[2::3], strict=True):
            more, _ = self._one(part, unless=unless or word.lower() == "unless")
            either = (joint or "").lower() == "or" and not unless
            guard = replace(guard, premises=(*guard.premises, *more.premises), any=either)
        about = about or (words if where is None or others else where)
        self._unless = unless
        self._asked.remember(words, guard, about, unless=unless)
        return guard, about

    def _one(self, words: str, *, unless: bool) -> tuple[Guard, str | None]:
        """Read one condition; the words for its image are those of a question that it repeats."""
        asked, opposite = condition_of(words)
        if opposite is not None:
            guard = guard_of(asked)
            return (guard.negated() if opposite != unless else guard), None
        reworded = self._reworded(asked)
        if found := self._asked.meant(reworded):
            guard, about = found
            return (guard.negated() if unless else guard), about if reworded == asked else None
        each, none = of_each(asked)
        guard = replace(guard_of(self._reworded(each)), over=quantity_of(asked))
        guard = replace(guard, premises=guard.negated().premises) if none else guard
        return (guard.negated() if unless else guard), None


def _joint(match: re.Match[str]) -> str:
    """Return what stays where a courtesy is cut out."""
    before = match.string[: match.start()].strip(" ,").lower()
    joins = not before or before.endswith(("and", "but"))
    return ", " if match[0].rstrip().endswith(",") and not joins else " "


def _taken_up(words: str, last: Guard) -> Guard:
    """Return what words that refer to a condition before, or deny it, refer to."""
    return last.affirmed() if _STATED.search(words) else last


def _of_each(part: str, match: re.Match[str]) -> str:
    """Return a sentence with "each picture" for the images that it selects."""
    before, after = part[: match.start()], END.sub("", part[match.end() :])
    if not before.strip() and after.lstrip().startswith((":", ",")):
        return f"{after.lstrip(' :,')} each picture"  # "cracked ones: describe"
    return f"{before}each picture{after}"
