"""Composes steps to tasks: one for each image, with the checks that their conditions need."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, product

from edgewright.agents.planner.condition import Check, Condition
from edgewright.agents.planner.embedded.grammar.asked import counted
from edgewright.agents.planner.embedded.grammar.checks import asked_by
from edgewright.agents.planner.embedded.grammar.guards import Guard, Premise
from edgewright.agents.planner.embedded.grammar.lexicon import words
from edgewright.agents.planner.embedded.steps import Step
from edgewright.agents.planner.plan import Task
from edgewright.tools.cards import ToolCard

_WORD = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True)
class Scope:
    """What a unit of a request is about.

    Attributes:
        images: URIs of its images; tasks that take an image run once for each.
        guard: The condition that its tasks depend on.
        checked: URIs of the images that the condition is about, if they are others.
    """

    images: tuple[str, ...]
    guard: Guard | None = None
    checked: tuple[str, ...] | None = None

    def checked_for(self, image: str) -> tuple[str, ...]:
        """Return the URIs of the images on which a task about an image depends."""
        alone = self.guard and self.guard.over == "each" and not self.guard.paired
        if not self.checked or (alone and image in self.checked):
            return (image,)
        return self.checked


def question_card(cards: Sequence[ToolCard]) -> ToolCard | None:
    """Return the card that answers questions about an image, if there is one."""
    return next((c for c in cards if "question" in c.arguments and "image" in c.arguments), None)


@dataclass
class Composer:
    """Composes the steps of a request to tasks.

    Args:
        text: The text that the steps' words refer to.
        steps: The steps, those of one unit after those of another.
        scopes: The scope of each unit.
        asking: The card that answers the questions of conditions.
    """

    text: str
    steps: Sequence[Step]
    scopes: Sequence[Scope]
    asking: ToolCard | None
    tasks: list[Task] = field(default_factory=list)
    _names: dict[tuple[int, str], str] = field(default_factory=dict)
    _asked: dict[tuple[str, str], str] = field(default_factory=dict)

    def compose(self) -> tuple[Task, ...]:
        """Return the tasks, each after those that it depends on."""
        by_unit = {
            unit: list(group)
            for unit, group in groupby(
                range(len(self.steps)), key=lambda n: self.steps[n].intent.unit
            )
        }
        for unit, scope in enumerate(self.scopes):
            positions = by_unit.get(unit, [])
            if scope.guard and not positions:
                checked = scope.checked or scope.images or ("",)
                for images in [checked] if scope.guard.paired else [(each,) for each in checked]:
                    self._condition(scope.guard, images)
            for image in scope.images or ("",):
                for position in positions:
                    self._add(position, image, scope)
        return tuple(self.tasks)

    def _add(self, position: int, image: str, scope: Scope) -> None:
        """Add the task of a step for an image; a step without an image has one task in all."""
        step = self.steps[position]
        shared = not self._takes_image(position)
        if shared and (position, "") in self._names:
            return
        when = None
        if scope.guard:
            when = self._condition(scope.guard, scope.checked_for(image))
        parents = {n: self._parent(n, image) for n in sorted(step.parents)}
        args = {
            name: f"<{parents[int(value[1:-1])]}>" if is_reference(value, step) else value
            for name, value in step.args.items()
        }
        if image:
            args |= dict.fromkeys(step.image_args, image)
        task = self._task(
            step.card,
            {name: args[name] for name in step.card.arguments if name in args},
            span=self.text[step.intent.start : step.intent.end].strip(),
            confidence=round(step.intent.probability, 4),
        )
        depends_on = tuple(parents.values())
        self.tasks.append(task.model_copy(update={"depends_on": depends_on, "when": when}))
        self._names[position, "" if shared else image] = task.id
        self._asked.setdefault((args.get("question", "").lower(), image), task.id)

    def _takes_image(self, position: int) -> bool:
        step = self.steps[position]
        return bool(step.image_args) or any(self._takes_image(n) for n in step.parents)

    def _parent(self, position: int, image: str) -> str:
        """Return the task of an earlier step for the same image, or its only task."""
        same = [
            self._names[key] for key in ((position, image), (position, "")) if key in self._names
        ]
        return (same or [name for (n, _), name in self._names.items() if n == position])[0]

    def _condition(self, guard: Guard, images: Sequence[str]) -> Condition:
        """Return a guard as a condition on tasks, which are added unless they are there."""
        paired = guard.paired and len(guard.premises) == len(images)
        pairs = (
            zip(guard.premises, images, strict=True) if paired else product(guard.premises, images)
        )
        checks = tuple(
            Check(task=self._check(each, image), field=each.field, op=each.op, value=each.value)
            for each, image in pairs
        )
        some = len(images) > 1 and len(guard.premises) == 1 and guard.over != "every"
        either = guard.any or some
        return Condition(match="any" if either else "all", checks=checks)

    def _check(self, premise: Premise, image: str) -> str:
        key = premise.question.lower(), image
        if key not in self._asked:
            same = self._count(*key) if premise.field == "count" else self._asked_before(*key)
            if same:
                return same
        if key not in self._asked:
            assert self.asking is not None
            args = {"image": image} if image else {}
            task = self._task(self.asking, args | {"question": premise.question})
            self.tasks.append(task)
            self._asked[key] = task.id
        return self._asked[key]

    def _asked_before(self, question: str, image: str) -> str:
        """Return the task that asks the same in more words: "is it on the arm, as she says?"."""
        said = _content(question)
        found = (
            task
            for (asked, on), task in reversed(self._asked.items())
            if on == image and said and asked_by(asked) and said <= _content(asked)
        )
        return next(found, "")

    def _count(self, question: str, image: str) -> str:
        """Return the task that counts the same, perhaps at a place: "count the hens outside"."""
        noun = _things(counted(question))
        asked = reversed(self._asked.items())
        return next(
            (task for (q, on), task in asked if on == image and noun & _things(counted(q))), ""
        )

    def _task(
        self, card: ToolCard, args: dict[str, str], *, span: str = "", confidence: float = 1.0
    ) -> Task:
        return Task(
            id=f"t{len(self.tasks) + 1}",
            tool=card.id,
            task_type=card.task_type,
            args=args,
            span=span,
            confidence=confidence,
        )


def _things(noun: str) -> set[str]:
    """Return the words of what is counted, in the singular."""
    return {
        "people" if word == "person" else word.removesuffix("s") for word in noun.lower().split()
    }


def _content(question: str) -> set[str]:
    """Return the stems of the content words of a question."""
    return {
        word[:5] for word in _WORD.findall(question.lower()) if word not in words("closed_class")
    }


def is_reference(value: str, step: Step) -> bool:
    """Return whether an argument is the output of one of the step's parents."""
    return value[:1] == "<" and value[1:-1].isdecimal() and int(value[1:-1]) in step.parents
