"""An invocation, checked: what is to be run on which picture, until when."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from edgewright.edge_runtime.node import Node
from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.images.probe import ImageHeader, probe
from edgewright.tools.models.expert import Expert


@dataclass(frozen=True, kw_only=True)
class Call:
    """One invocation whose every part was checked without running anything.

    Attributes:
        card: What was asked for.
        experts: Who may carry it out, best first.
        args: The card's arguments, defaults filled in.
        picture: Encoded picture.
        header: What the picture's header says.
        arm: Fixed arm, or None.
        deadline: When it must have ended, by the event loop's clock.
        request_id: To follow it through all nodes.
    """

    card: ToolCard
    experts: tuple[Expert, ...]
    args: dict[str, str]
    picture: bytes
    header: ImageHeader
    arm: Arm | None
    deadline: float
    request_id: str

    @property
    def expert(self) -> Expert:
        """Who carries it out."""
        return self.experts[0]

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - asyncio.get_running_loop().time()


async def prepare(
    node: Node, card_id: str, options: InvokeOptions, picture: bytes | None, request_id: str
) -> Call:
    """Check an invocation.

    Args:
        node: Where it is to run.
        card_id: What was asked for.
        options: How.
        picture: The picture, if one was sent.
        request_id: To follow it through all nodes.

    Raises:
        NotFoundError: No such card, no expert for it here, or no such photograph.
        RefusedError: The expert cannot know this.
        InputError: An argument or the picture cannot be used.
    """
    deadline = asyncio.get_running_loop().time() + min(
        options.deadline_s, node.config.limits.deadline_s
    )
    card = node.cards.get(card_id)
    experts = _experts(node, card, options.expert)
    args = _arguments(card, options.args)
    experts[0].check(args)
    picture = await _picture(node, options.camera, picture)
    return Call(
        card=card,
        experts=experts,
        args=args,
        picture=picture,
        header=probe(picture, max_pixels=node.config.limits.pixels),
        arm=options.arm,
        deadline=deadline,
        request_id=request_id,
    )


def _experts(node: Node, card: ToolCard, chosen: str | None) -> tuple[Expert, ...]:
    able = node.experts_for(card)
    if not able:
        raise NotFoundError(
            f"this node cannot carry out {card.id!r}: {node.status(card).reason}",
            code="card_unavailable",
        )
    if chosen is None:
        return able
    named = tuple(expert for expert in able if expert.id == chosen)
    if not named:
        raise NotFoundError(
            f"this node has no expert {chosen[:100]!r} for {card.id!r}", code="unknown_expert"
        )
    return named


def _arguments(card: ToolCard, given: Mapping[str, str]) -> dict[str, str]:
    """Check a card's arguments; the picture is none of them, it travels beside them."""
    specs = {name: spec for name, spec in card.arguments.items() if spec.type != "image"}
    if unknown := sorted(set(given) - set(specs)):
        raise InputError(
            f"{card.id!r} has no argument {unknown[0][:100]!r}; it has {sorted(specs) or 'none'}",
            code="unknown_argument",
        )
    args: dict[str, str] = {}
    for name, spec in specs.items():
        value = given.get(name, spec.default)
        if value is None:
            if spec.required:
                raise InputError(
                    f"{card.id!r} needs the argument {name!r}: {spec.description}",
                    code="argument_missing",
                )
            continue
        if len(value) > spec.max_length:
            raise InputError(
                f"the argument {name!r} is longer than {spec.max_length} characters",
                code="argument_too_long",
            )
        args[name] = value
    return args


async def _picture(node: Node, camera: str | None, sent: bytes | None) -> bytes:
    if camera is not None and sent is not None:
        raise InputError(
            "give either a picture or the name of one of the camera's, not both",
            code="two_pictures",
        )
    if sent is not None:
        return sent
    if camera is None:
        raise InputError(
            "no picture was given: send one, or name one of the camera's", code="image_missing"
        )
    return await asyncio.to_thread(
        node.camera.read, camera, max_bytes=node.config.limits.body_bytes
    )
