"""Says a request again in plain sentences: each requested task with its condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgewright.agents.planner.embedded.grammar.condition_forms import condition_after
from edgewright.agents.planner.embedded.grammar.negation import Wanted
from edgewright.agents.planner.embedded.parts.conditions import (
    OTHERWISE,
    opens,
    plain_condition,
    takes_up,
)
from edgewright.agents.planner.embedded.parts.part import Kind, Part, State
from edgewright.agents.planner.embedded.parts.structure import (
    alternatives,
    has_structure,
    is_consistent,
    joined,
    owners,
)

_SPACE = re.compile(r"\s+")
_OUTER = " \t\n,;:\u2013\u2014-"
_LEAD = re.compile(
    r"^[\s,;:.\-\u2013\u2014]*(?:(?:and|but|so|then|or|also|plus|um|well|hmm|oh)\b[\s,]*)+", re.I
)
_THEN = re.compile(r"^\W*then\b[\s,]*", re.I)
_EXCEPTION = re.compile(
    r"(?:(?:but|just|only)\s+)*(?:not|don't|do\s+not|minus|except(?:ing)?|excluding|without|aside\s+from|apart\s+from|other\s+than|bar|save)\b",
    re.I,
)
#: Between two parts that are one: "describe the first, the second".
_LISTED = re.compile(r"\s*,?\s*(?:(?:and|plus|or)\s+)?", re.I)
#: Words that name a task, so that its verb need not be said.
_NAMES_TASK = re.compile(
    r"\b(?:caption|descri|classif|categor|label|class|breed|species|name|title|tag|identif|kind|type|sort|make|model|"
    r"what|which|who|how|tell|say|summar|words|read|count|find|is|are|does|write|about|explain|show|put|story|essay|text|picture\s+in)\w*",
    re.I,
)
_VERBS: dict[Kind, str] = {"describe": "describe", "label": "classify"}
_NOT = re.compile(r"(?:then\s+)?(?:not|no|don't|do\s+not)", re.I)
#: What stands for a verb that is not said: "the second, yes", "the evening one is enough".
_ELLIPTIC = re.compile(
    r"[\s,:]*\b(?:do(?:\s+(?:it|so))?|yes|too|please|(?:is|are|would\s+be)\s+(?:enough|fine)|will\s+do|(?:may|can)\s+have\s+one)\W*$",
    re.I,
)
_ORDER = re.compile(r"(?:don't|do\s+not)\b", re.I)
#: Says where to look, in a sentence of its own.
_LOOKS = re.compile(r"(?:please\s+)?(?:have|take|look|use|go|open|check|see)\b", re.I)
_WORD = re.compile(r"\w")


def restated(text: str, parts: Sequence[Part], mentions: Callable[[str], bool]) -> Wanted:
    """Return a request in plain sentences, and the words for what is not wanted.

    Args:
        text: The request.
        parts: Its parts, in order.
        mentions: Whether words say which images are meant.
    """
    parts = alternatives(text, joined(text, parts))
    if not has_structure(text, parts) or not is_consistent(text, parts):
        return Wanted(text)
    speaker = _Speaker(text, parts, mentions)
    for number in range(len(parts)):
        speaker.say(number)
    speaker.end()
    return Wanted(" ".join(speaker.sentences), tuple(speaker.dropped))


@dataclass
class _Speaker:
    """Says the parts of a request one after another.

    Attributes:
        text: The request.
        parts: Its parts.
        mentions: Whether words say which images are meant.
        sentences: What has been said.
        dropped: Words for what is not wanted.
        images: Words that say which images the next task is about.
        stated: The conditions that have been said.
    """

    text: str
    parts: Sequence[Part]
    mentions: Callable[[str], bool]
    sentences: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    images: str = ""
    stated: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._owners = owners(self.text, self.parts)

    def say(self, number: int) -> None:
        """Say a part."""
        part = self.parts[number]
        self._remark(number)
        if part.role == "images":
            self.images += _with_mark(self._words(part), self.text[part.end : part.end + 2])
        elif part.is_condition:
            if number not in self._owners.values() and self._raw(part).endswith("?"):
                self._add(self._raw(part))  # "Eggs? If so, …"
        elif part.state == "not" and not self.sentences and self._excepts(part):
            self.images = f"{self._words(part)}, "
        elif part.state == "not" and self.sentences and self._excepts(part):
            words = self._words(part)
            joint = " but" if _ORDER.match(words) else ","
            self.sentences[-1] = f"{self.sentences[-1].rstrip('.')}{joint} {words}."
        elif part.kind == "nothing" and part.state == "always":
            if self.mentions(self._raw(part)) or len(self.parts) == 1:
                self.dropped.append(self._raw(part))
        elif part.state == "not":
            self.dropped.append(self._raw(part))
        elif number in self._owners:
            self._conditional(number)
        else:
            self._task(number)

    def end(self) -> None:
        """Say which images are meant where that comes last: "which bird is it, the one by Ann"."""
        if self.images and self.sentences:
            last = self.sentences[-1]
            self.sentences[-1] = f"{last[:-1]}, {_low(self.images.strip(' ,.:'))}{last[-1]}"

    def _excepts(self, part: Part) -> bool:
        """Return whether words except an image from what was said: "all, just not c.jpg"."""
        words = self._words(part)
        return bool(_EXCEPTION.match(words)) and self.mentions(words)

    def _remark(self, number: int) -> None:
        """Keep what is said before a part that names no images itself, if it names some."""
        part = self.parts[number]
        start = self.parts[number - 1].end if number else 0
        said = _clean(self.text[start : part.start]).rstrip(".!?")
        if part.role != "task" or part.state == "not" or self.images or not _WORD.search(said):
            return
        if self.mentions(said) and not self.mentions(self._words(part)):
            self.images = f"{said}. "

    def _task(self, number: int) -> None:
        part = self.parts[number]
        words = self._words(part)
        if self._goes_on(number):
            between = self.text[self.parts[number - 1].end : part.start]
            self.sentences[-1] = (
                self.sentences[-1].rstrip(".?") + f"{between}{words}{self._end(part)}"
            )
            return
        if not self.sentences and part.kind != "repeat" and not _LEAD.match(self._raw(part)):
            words = _LEAD.sub("", words)
        self._add(self.images + _with_verb(words, part.kind) + self._end(part))

    def _goes_on(self, number: int) -> bool:
        """Return whether a task is the next in a list: "the description and the label"."""
        before = self.parts[number - 1] if number else None
        if before is None or not self.sentences or before.depends or before.role != "task":
            return False
        said = before.state == "always" and before.kind != "nothing"
        said = said and not self.sentences[-1].endswith("?")
        return said and bool(_LISTED.fullmatch(self.text[before.end : self.parts[number].start]))

    def _conditional(self, number: int) -> None:
        """Say a task that depends on a condition, with those after it that do as well."""
        part, owner = self.parts[number], self._owners[number]
        if self._said_with(number - 1, owner, part.state):
            return
        said = self.parts[owner]
        condition = plain_condition(self._words(said), said.role, follows=owner > number)
        words, end = self._together(number), self._end(part)
        if part.state == "if":
            words = _with_verb(_THEN.sub("", words), part.kind)
            if condition.endswith("?"):
                self._add(f"{self.images}{condition} Then {_low(words)}.")
            elif owner > number and words != "do nothing" and _can_follow(words, condition):
                self._add(f"{self.images}{words} {condition}{end}")
            else:
                nothing = part.kind == "nothing" or words == "do nothing"
                then = "then " if opens(condition) and not nothing else ""
                self._add(f"{self.images}{condition}, {then}{_low(words)}{end}")
        elif part.kind != "nothing" or owner not in self.stated:
            rest = _with_verb(OTHERWISE.sub("", words) or "leave it", part.kind)
            if takes_up(rest):
                self._add(f"{rest}{end}")
            elif owner in self.stated:
                self._add(f"Otherwise, {self.images}{_low(rest)}{end}")
            else:
                self._add(f"{self.images}{condition}, do nothing. Otherwise, {_low(rest)}{end}")
        self.stated.add(owner)

    def _said_with(self, number: int, owner: int, state: State) -> bool:
        """Return whether the task before, perhaps beyond a condition, depends in the same way."""
        while number >= 0 and self.parts[number].is_condition:
            number -= 1
        return self._owners.get(number) == owner and self.parts[number].state == state

    def _together(self, number: int) -> str:
        """Return the words of a task, and of those after it that depend on the same."""
        part, owner = self.parts[number], self._owners[number]
        words = _LEAD.sub("", self._words(part))
        for later in range(number + 1, len(self.parts)):
            other = self.parts[later]
            if other.is_condition:
                continue
            if self._owners.get(later) != owner or other.state != part.state:
                break
            words += f" and {_low(_LEAD.sub('', self._words(other)))}"
        return words

    def _add(self, sentence: str) -> None:
        self.sentences.append(sentence[:1].upper() + sentence[1:])
        self.images = ""

    def _raw(self, part: Part) -> str:
        return self.text[part.start : part.end]

    def _words(self, part: Part) -> str:
        return _clean(self._raw(part)).rstrip(".!" if part.is_condition else " ?.!")

    def _end(self, part: Part) -> str:
        after = self.text[part.start : part.end + 1].rstrip()
        return "?" if after.endswith("?") else "."


def _can_follow(words: str, condition: str) -> bool:
    """Return whether the grammar reads a condition after its task."""
    return not opens(condition) or bool(condition_after(f"{words} {condition}", refers=bool))


def _with_verb(words: str, kind: Kind) -> str:
    """Return the words of a task with the verb that they leave to the reader."""
    verb = _VERBS.get(kind)
    if _NOT.fullmatch(words):
        return "do nothing"
    if verb is None or _NAMES_TASK.search(words):
        return words
    what = _ELLIPTIC.sub("", _low(words)).strip(_OUTER)
    return f"{verb} {what or 'it'}"


def _with_mark(words: str, after: str) -> str:
    """Return words that say which images are meant, with the mark that parts them from a task."""
    mark = after.strip()[:1]
    if not _WORD.match(mark) and not _LOOKS.match(words):
        return f"{words.rstrip('.!?')}{mark if mark in (':', '.') else ','} "
    return f"{words.rstrip('.!?')}. "


def _clean(words: str) -> str:
    return _SPACE.sub(" ", words).strip(_OUTER)


def _low(words: str) -> str:
    """Return words as they go on in a sentence."""
    name = words[:2].isupper() or words[:2] in ("I ", "I'")
    return words if name else words[:1].lower() + words[1:]
