"""Creating the tool card of a trained model, with example requests for planners."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

from edgewright.tools.contracts.cards import ArgumentSpec, Demonstration, ToolCard
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.serving.expert import expert_id

_WHAT = r"(?P<what>[a-z][a-z-]*(?:\s+[a-z][a-z-]*){0,2}?)"
_BOUNDARY = (
    r"(?=\s*(?:[,.;:!?]|$)|\s+(?:and|or|from|with|that|which|who|held|in|on|by|at|for|of|so|but|to|"
    r"taken|are|is|it|were|without|using|we|they)\b)"
)
#: Patterns for the subject of classification in a purpose, most reliable first.
_SUBJECTS = (
    re.compile(
        rf"\b(?:photo(?:graph)?s?|pictures?|images?|scans?|drawings?|shots?)\s+of\s+(?:the\s+|our\s+)?{_WHAT}{_BOUNDARY}"
    ),
    re.compile(rf"\b(?:kind|type|sort)s?\s+of\s+{_WHAT}{_BOUNDARY}"),
    re.compile(
        rf"\b(?:classif(?:y|ies)|recogni[sz]es?|identif(?:y|ies)|sorts?|reads?|labels?)\s+(?:the\s+|our\s+|an?\s+)?{_WHAT}{_BOUNDARY}"
    ),
    re.compile(rf"\bt(?:ell|ells|elling)\s+(?:the\s+|our\s+)?{_WHAT}\s+apart\b"),
    re.compile(
        rf"\b(?:distinguish(?:es|ing)?|separat(?:e|es|ing))\s+(?:the\s+|our\s+|between\s+)?{_WHAT}{_BOUNDARY}"
    ),
    re.compile(r"\b(?P<what>[a-z][a-z-]+)\s+(?:classifier|recogni[sz]er|reader|sorter)\b"),
    re.compile(
        rf"\b(?:photographed|(?:each|all|we|they)\s+photographs?)\s+(?:the\s+|our\s+|their\s+)?{_WHAT}{_BOUNDARY}"
    ),
)
#: Words in the position of a subject that do not name one.
_FILLER_WORDS = frozenset(
    {"it", "them", "this", "what", "image", "picture", "photo", "model", "good", "small", "new",
     "goods", "simple", "joint", "shared", "private", "own", "one", "data", "a", "an", "the"}
)  # fmt: skip
#: Subjects of purposes that only list the classes, such as "drawings of animals and letters".
_MEDIUM = re.compile(
    r"\b(drawing|sketch|painting|scan|x-ray|micrograph|slide|map|sign|symbol|icon)(?:e?s)?\b"
)
#: Maximum number of class names in the description and the demonstrations.
_MAX_NAMED_CLASSES = 12


def tool_card(purpose: str, data: DataCard, used_ids: Collection[str]) -> ToolCard:
    """Create the card of a trained model.

    Args:
        purpose: The person's description of the purpose.
        data: Card of the training data.
        used_ids: Ids of other cards.
    """
    subject = subject_of(purpose, data.name, data.classes)
    name = _free_id(f"{_kebab(subject)}-classifier", used_ids)
    classes = ", ".join(data.classes[:_MAX_NAMED_CLASSES])
    more = (
        f" and {len(data.classes) - _MAX_NAMED_CLASSES} more"
        if len(data.classes) > _MAX_NAMED_CLASSES
        else ""
    )
    return ToolCard(
        id=name,
        task_type="image-classification",
        title=f"{subject} classifier"[:60],
        description=(
            f"Says which {subject} a picture shows: {classes}{more}. Use it when someone asks "
            f"which {subject} it is. Trained here by federated learning."
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


def subject_of(purpose: str, fallback: str, classes: Collection[str] = ()) -> str:
    """Return the subject of classification in the singular: "photos of digits" gives "digit".

    Args:
        purpose: The person's description of the purpose.
        fallback: Name of the data, for a purpose without a subject.
        classes: Names of the classes, which are not subjects themselves.
    """
    text = " ".join(purpose.lower().split())
    class_words = {_singular(name.lower()) for name in classes}
    for pattern in _SUBJECTS:
        for found in pattern.finditer(text):
            words = [word for word in found["what"].split() if word not in _FILLER_WORDS]
            if words and _singular(words[-1]) not in class_words:
                return " ".join([*words[:-1], _singular(words[-1])])
    if medium := _MEDIUM.search(text):
        return medium[1]
    words = re.sub(r"[^a-z0-9]+", " ", fallback.lower()).split() or ["picture"]
    return " ".join([*words[:-1], _singular(words[-1])])


def _requests(subject: str, classes: tuple[str, ...]) -> list[str]:
    head = subject.split()[-1]
    requests = [
        f"Which {head} is this?",
        f"What {subject} does the picture show?",
        f"Classify this {subject}.",
        f"Recognise the {head} in the photo.",
        f"Tell me which {head} you see here.",
        f"What kind of {head} is in the image?",
        f"Identify the {subject}.",
        f"Name the {head} in front of the camera.",
    ]
    words = [name.replace("-", " ").replace("_", " ") for name in classes]
    class_names = [name for name in words if re.fullmatch(r"[A-Za-z][A-Za-z ]+", name)][
        :_MAX_NAMED_CLASSES
    ]
    requests += [f"Is this {one} or {other}?" for one, other in pairwise(class_names)]
    return requests


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _kebab(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words) if words and words[0][0].isalpha() else "-".join(["model", *words])


def _free_id(name: str, used_ids: Collection[str]) -> str:
    number, free = 1, name
    while free in used_ids:
        number += 1
        free = f"{name}-{number}"
    return free
