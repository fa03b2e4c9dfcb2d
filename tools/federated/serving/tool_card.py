"""Creating the tool card of a trained model, with example requests for planners."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

from edgewright.tools.contracts.cards import ArgumentSpec, Demonstration, ToolCard
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.serving.expert import expert_id
from edgewright.tools.federated.serving.subject import Subject, find_subject
from edgewright.tools.vision.asking.nouns import listed, with_article

#: Maximum number of class names in the description and the demonstrations.
_MAX_NAMED_CLASSES = 12
#: Names of classes that say what state a thing is in, not what thing it is.
_STATE = re.compile(
    r"(?:un|non|not |no |ab|in|im)\w+|\w+(?:ive|ed|ous|able|ible|ful|less|ic|ant|ent|al|thy|ty|ten)"
    r"|ok|okay|good|bad|ripe|raw|fresh|new|old|clean|dry|wet|benign|broken|faulty|worn|open|closed"
    r"|full|intact|sick|ill|dead|alive|on|off|yes|true|false|pass|fail|safe|sound|rotten|green",
    re.IGNORECASE,
)


def tool_card(purpose: str, data: DataCard, used_ids: Collection[str]) -> ToolCard:
    """Create the card of a trained model.

    Args:
        purpose: The person's description of the purpose.
        data: Card of the training data.
        used_ids: Ids of other cards.
    """
    subject = find_subject(purpose, data.name, data.classes)
    name = _free_id(f"{_kebab(subject.name)}-classifier", used_ids)
    named = [_spoken(each) for each in data.classes[:_MAX_NAMED_CLASSES]]
    if more := len(data.classes) - len(named):
        named.append(f"{more} more" if more > 1 else _spoken(data.classes[-1]))
    joint = "and" if more > 1 else "or"
    general = subject.singular == "picture"
    if _are_states(data.classes):
        asks = f"what state {with_article(subject.singular)} is in"
    else:
        asks = f"what {'' if general else f'kind of {subject.singular} '}a picture shows"
    return ToolCard(
        id=name,
        task_type="image-classification",
        title=f"{subject.name} classifier"[:60],
        description=(
            f"Classifies pictures{'' if general else f' of {subject.plural}'} as "
            f"{listed(named, joint)}. Use it when someone asks {asks}. Trained here by federated "
            "learning."
        )[:1000],
        inputs=("image",),
        outputs=("label",),
        arguments={"image": ArgumentSpec(type="image", description="The picture to classify.")},
        demonstrations=tuple(
            Demonstration(request=request[:500]) for request in _requests(subject, data.classes)
        ),
        sensors=("camera",),
        experts=(expert_id(name),),
    )


def _requests(subject: Subject, classes: tuple[str, ...]) -> list[str]:
    head, one = subject.head, subject.singular
    requests = [
        f"Classify this {one}.",
        f"Recognise the {head} in the photo.",
        f"Identify the {one}.",
    ]
    names = [_spoken(name) for name in classes if re.fullmatch(r"[A-Za-z][A-Za-z _-]+", name)]
    names = names[:_MAX_NAMED_CLASSES]
    if _are_states(classes):
        requests += [
            f"What state is this {head} in?",
            f"What condition is the {one} in?",
            f"How is this {one} to be judged?",
            *(f"Is this {head} {name}?" for name in names),
            *(f"Is the {one} {first} or {second}?" for first, second in pairwise(names)),
        ]
        return requests
    requests += [
        f"Which {head} is this?",
        f"What kind of {one} is this?",
        f"What {one} does the picture show?",
        f"Tell me which {head} you see here.",
        f"What kind of {head} is in the image?",
        f"Name the {head} in front of the camera.",
    ]
    for other in subject.others:
        requests += [
            f"What kind of {other} is this?",
            f"Which {other} {'are these' if other.endswith('s') else 'is this'}?",
        ]
    # Names of classes may be singular or plural, of things or of materials: no article fits all.
    requests += [f"{first.capitalize()} or {second}?" for first, second in pairwise(names)]
    requests += [f"Which is it, {first} or {second}?" for first, second in pairwise(names)]
    return requests


def _are_states(classes: Collection[str]) -> bool:
    """Return whether the classes say what state a thing is in, as ripe and unripe do."""
    return bool(classes) and all(_STATE.fullmatch(_spoken(name)) for name in classes)


def _spoken(name: str) -> str:
    """Return a class name as words."""
    return " ".join(name.replace("_", " ").split()) or name


def _kebab(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words) if words and words[0][0].isalpha() else "-".join(["model", *words])


def _free_id(name: str, used_ids: Collection[str]) -> str:
    number, free = 1, name
    while free in used_ids:
        number += 1
        free = f"{name}-{number}"
    return free
