"""Labelled requests with their conversations, and the comparison of plans with their labels."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.agents.planner.condition import Condition
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.planner.request import PlanRequest, Turn, images_of
from edgewright.tools.contracts.images import ImageRef

#: The card that each letter of a label stands for.
CARDS = {
    "C": "image-classification",
    "T": "image-to-text",
    "V": "visual-question-answering",
    "F": "federated-training",
}
#: Letters that a more specific card counts as: the labels are older than such cards.
ALSO = {
    **{card: letter for letter, card in CARDS.items()},
    "object-detection": "VC",
    "object-counting": "V",
    "text-recognition": "VT",
    "face-detection": "V",
    "facial-expression": "VC",
}

Step = tuple[str, str | None]


@dataclass(frozen=True)
class Case:
    """A labelled request.

    Attributes:
        id: Unique in its file.
        kind: What makes it hard.
        request: The request; its history holds no tasks yet.
        labels: For each earlier turn, the letters of its tasks and the image of each.
        accept: Plans to accept, each as steps of a letter and the name of an image.
        when: Conditional steps with the outcome on which they run.
    """

    id: str
    kind: str
    request: PlanRequest
    labels: tuple[tuple[Step, ...], ...]
    accept: tuple[tuple[Step, ...], ...]
    when: tuple[tuple[Step, str], ...]


def read_cases(path: Path) -> list[Case]:
    """Read cases from JSON lines in the form of ``data/conversation``."""
    return [_case(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line]


def replayed(planner: AnyPlanner, case: Case) -> PlanRequest:
    """Return a case's request with the plans of its earlier turns.

    A turn gets the planner's own plan if it is the labelled one; its questions are then worded as
    in a real conversation. Otherwise it gets the labelled tasks.
    """
    turns: list[Turn] = []
    for turn, label in zip(case.request.history, case.labels, strict=True):
        request = PlanRequest(text=turn.request, images=turn.images, history=tuple(turns))
        plan = planner.plan(request)
        names = {image.uri: name_of(image) for image in request.seen}
        tasks = plan.tasks if _same(steps_of(plan, names), label) else _labelled(turn, label, names)
        turns.append(
            turn.model_copy(update={"tasks": tasks, "about": images_of(tasks, request.seen)})
        )
    return case.request.model_copy(update={"history": tuple(turns)})


def is_right(plan: Plan, case: Case, request: PlanRequest) -> bool:
    """Return whether a plan is one of those to accept, with the right conditions."""
    names = {image.uri: name_of(image) for image in request.seen}
    steps = steps_of(plan, names)
    if not any(_same(steps, accepted) for accepted in case.accept):
        return False
    holds = [_runs_on(plan, steps, step, outcome) for step, outcome in case.when]
    if len(case.accept) == 1:
        return all(holds)
    # "Name it" is a classification or a question: an entry for each, of which one is in the plan.
    each: dict[tuple[str | None, str], bool] = {}
    for ((_, image), outcome), held in zip(case.when, holds, strict=True):
        each[image, outcome] = each.get((image, outcome), False) or held
    return all(each.values())


def steps_of(plan: Plan, names: dict[str, str]) -> list[tuple[str, str | None]]:
    """Return the card and the image's name of each task."""
    return [
        (task.tool, next((names[arg] for arg in task.args.values() if arg in names), None))
        for task in plan.tasks
    ]


def image_named(name: str) -> ImageRef:
    """Return an image with a name, which may have folders."""
    folder, _, base = name.rpartition("/")
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ImageRef(
        uri=f"store:{digest}",
        sha256=digest,
        mime="image/jpeg",
        width=64,
        height=64,
        name=base,
        folder=folder,
    )


def name_of(image: ImageRef) -> str:
    """Return the name that labels use for an image."""
    return f"{image.folder}/{image.name}".lstrip("/")


def _same(steps: Sequence[Step], label: Sequence[Step]) -> bool:
    """Match tasks with labelled steps one to one; a card may count as one of several letters."""
    if len(steps) != len(label):
        return False
    if not steps:
        return True
    (tool, image), *others = steps
    for position, (letter, wanted) in enumerate(label):
        rest = [*label[:position], *label[position + 1 :]]
        if letter in ALSO.get(tool, "") and image == wanted and _same(others, rest):
            return True
    return False


def _runs_on(plan: Plan, steps: Sequence[Step], step: Step, outcome: str) -> bool:
    """Return whether a step runs on the labelled outcome of its check and on no other."""
    letter, image = step
    conditions = [
        task.when
        for task, (tool, found) in zip(plan.tasks, steps, strict=True)
        if letter in ALSO.get(tool, "") and found == image and task.when
    ]
    return any(_fits(condition, outcome) for condition in conditions)


def _fits(condition: Condition, outcome: str) -> bool:
    """Try a condition on answers with the labelled outcome, and on others."""
    number = re.search(r"\d+", outcome)
    if number is None:
        good: list[Any] = [outcome]
        bad: list[Any] = ["no" if outcome == "yes" else "yes"]
    else:
        count = int(number[0])
        at_least, at_most = outcome.startswith("at least"), outcome.startswith("at most")
        counts = range(count + 3)
        good = [
            n for n in counts if (n >= count if at_least else n <= count if at_most else n == count)
        ]
        bad = [n for n in counts if n not in good]
    tried = {
        answer: condition.holds(
            {check.task: {"answer": str(answer), "text": str(answer)} for check in condition.checks}
        )
        for answer in (*good, *bad)
    }
    return all(tried[each] for each in good) and not any(tried[each] for each in bad)


def _labelled(turn: Turn, label: Sequence[Step], names: dict[str, str]) -> tuple[Task, ...]:
    uris = {name: uri for uri, name in names.items()}
    return tuple(
        Task(
            id=f"t{number}",
            tool=CARDS[letter],
            task_type=CARDS[letter],
            args={
                **({"image": uris[image]} if image else {}),
                **({"question": turn.request} if letter == "V" else {}),
            },
        )
        for number, (letter, image) in enumerate(label, start=1)
    )


def _case(row: dict[str, Any]) -> Case:
    history = row.get("history", [])
    return Case(
        id=row["id"],
        kind=row.get("kind") or row["id"].rstrip("0123456789"),
        request=PlanRequest(
            text=row["request"],
            images=tuple(map(image_named, row["images"])),
            history=tuple(
                Turn(request=turn["request"], images=tuple(map(image_named, turn["images"])))
                for turn in history
            ),
        ),
        labels=tuple(_label(turn) for turn in history),
        accept=tuple(
            tuple((letter, image.lstrip("/") if image else None) for letter, image in plan)
            for plan in row["accept"]
        ),
        when=tuple(((letter, image), outcome) for letter, image, outcome in row.get("when", [])),
    )


def _label(turn: dict[str, Any]) -> tuple[Step, ...]:
    """Return the labelled steps of a turn; without ``about``, its images in order."""
    tools, images = turn["tools"], turn.get("about") or turn["images"]
    if len(images) == len(tools):
        return tuple(zip(tools, images, strict=True))
    return tuple((tool, image) for image in images or [None] for tool in tools)


def kinds(cases: Sequence[Case]) -> list[str]:
    """Return the kinds of cases, in order of their first."""
    return list(Counter(case.kind for case in cases))
