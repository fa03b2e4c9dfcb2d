"""Putting claims together: each image by its name, and what holds for all of them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest
from edgewright.agents.responder.answer import Answer, Claim
from edgewright.agents.responder.result import TaskResult

#: Maximum number of sentences about several images on one line; with more, each image has its own.
MAX_ON_LINE = 2

#: Begins the note on approximate answers, which has a line of its own.
APPROXIMATE = "(Approximate:"


def subjects(request: PlanRequest, plan: Plan) -> dict[str, str]:
    """Return the name of the image that each task is about, by task id.

    Args:
        request: The request.
        plan: Its plan.

    Returns:
        The names; empty when only one image is in question, which needs no name.
    """
    names = _image_names(request)
    found: dict[str, str] = {}
    for task in plan.tasks:
        own = [names[value] for value in task.args.values() if value in names]
        inherited = [found[needed] for needed in task.depends_on if needed in found]
        if own or inherited:
            found[task.id] = (own or inherited)[0]
    several = len(set(found.values())) > 1 or len(request.images) > 1
    return found if several else {}


def compose(
    claims: Sequence[Claim],
    image_of: Mapping[str, str],
    request: PlanRequest,
    plan: Plan,
    results: Sequence[TaskResult],
) -> Answer:
    """Put claims together to an answer.

    Args:
        claims: The claims, in the order of the plan.
        image_of: The name of the image that each task is about; see ``subjects``.
        request: The request.
        plan: Its plan, whose notes follow the claims.
        results: The results that the claims rest on.
    """
    texts: dict[str, list[str]] = {}
    for claim in claims:
        texts.setdefault(image_of.get(claim.task_id, ""), []).append(claim.text)
    images_of: dict[tuple[bool, str], list[str]] = {}
    for image, group in texts.items():
        images_of.setdefault((bool(image), " ".join(group)), []).append(image)
    parts = [
        f"{listed(images)}: {said}" if named else said
        for (named, said), images in images_of.items()
    ]
    text = ("\n" if len(parts) > 1 and len(claims) > MAX_ON_LINE else " ").join(parts)
    note = _approximate_note(request, results)
    lines = [text, *plan.notes, *([note] if note else [])]
    return Answer(text="\n".join(lines), claims=list(claims))


def _image_names(request: PlanRequest) -> dict[str, str]:
    """Return a distinct name for every image of the conversation, by its URI."""
    earlier = [image for turn in request.history for image in turn.images]
    images = {image.uri: image for image in (*earlier, *request.images)}
    shared = Counter(image.name for image in images.values())
    numbers: Counter[str] = Counter()
    names: dict[str, str] = {}
    for uri, image in images.items():
        numbers[image.name] += 1
        unique = image.name and shared[image.name] == 1
        names[uri] = image.name if unique else f"{image.name or 'image'} {numbers[image.name]}"
    return names


def listed(names: Sequence[str]) -> str:
    """Return names as a list in words: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _approximate_note(request: PlanRequest, results: Sequence[TaskResult]) -> str:
    """Say once in a conversation that stand-in experts answered; otherwise return nothing."""
    experts = dict.fromkeys(
        result.report.expert for result in results if result.report and result.report.approximate
    )
    if not experts or any(APPROXIMATE in turn.answer for turn in request.history):
        return ""
    from_labels = all(expert.startswith("label-") for expert in experts)
    how = "derived from class labels alone, by" if from_labels else "a stand-in,"
    return f"{APPROXIMATE} {how} {' and '.join(experts)}; 'edgewright doctor' names better models.)"
