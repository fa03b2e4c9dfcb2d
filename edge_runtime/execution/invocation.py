"""Checking an invocation before anything is run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.node import Node
from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import DecideRequest, InvokeOptions, PlannedTask
from edgewright.tools.errors import InputError, NotFoundError, TooLargeError
from edgewright.tools.images.probe import check_pixels, probe
from edgewright.tools.models.expert import Expert


@dataclass(frozen=True, kw_only=True)
class PendingCall:
    """A checked call without the image's bytes, which the choice of an arm does not need.

    Attributes:
        card: The requested card.
        experts: Experts that can carry it out, best first.
        args: The card's arguments, defaults filled in.
        facts: The image's type and size; None if the card takes no image.
        deadline: Deadline on the event loop's clock, in seconds.
        ahead: Tasks that will be invoked just before it.
        forward: Whether a server may pass it on.
    """

    card: ToolCard
    experts: tuple[Expert, ...]
    args: dict[str, str]
    facts: ImageFacts | None
    deadline: float
    ahead: tuple[PlannedTask, ...] = ()
    forward: bool = True

    @property
    def expert(self) -> Expert:
        """The expert that carries it out."""
        return self.experts[0]

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - asyncio.get_running_loop().time()


@dataclass(frozen=True, kw_only=True)
class Call(PendingCall):
    """A checked call that is ready to run.

    Attributes:
        image: The encoded image; empty if the card takes none.
        arm: Fixed arm, or None.
        caller: Whose call it is.
    """

    image: bytes
    arm: Arm | None
    caller: Caller


async def prepare(
    node: Node,
    card_id: str,
    options: InvokeOptions,
    image: bytes | None,
    *,
    caller: Caller,
    facts: ImageFacts | None = None,
) -> Call:
    """Check an invocation without running anything.

    Args:
        node: The node that is to run it.
        card_id: The requested card.
        options: Arguments, deadline, and any fixed arm or expert.
        image: The encoded image, if one was sent.
        caller: Whose call it is.
        facts: The image's type and size, if they were read already.

    Raises:
        NotFoundError: No such card, no expert for it here, or no such photograph.
        RefusedError: The expert cannot answer this.
        InputError: An argument or the image cannot be used.
    """
    deadline = _deadline(node, options)
    card, experts, args = _target(node, card_id, options)
    _check_images(card, options, image)
    if image is None and takes_image(card):
        image = await _photograph(node, options.camera)
    if facts is None and image is not None:
        facts = probe(image, max_pixels=node.config.limits.pixels)
    return Call(
        card=card,
        experts=experts,
        args=args,
        facts=facts,
        deadline=deadline,
        forward=options.forward,
        image=image or b"",
        arm=options.arm,
        caller=caller,
    )


async def prepare_decision(node: Node, card_id: str, request: DecideRequest) -> PendingCall:
    """Check a request for a decision; it fails where the invocation would.

    Args:
        node: The node that chooses the arm.
        card_id: The requested card.
        request: Arguments, deadline, and the image's type and size.

    Raises:
        NotFoundError: No such card, no expert for it here, or no such photograph.
        RefusedError: The expert cannot answer this.
        InputError: An argument or the image cannot be used.
    """
    deadline = _deadline(node, request)
    card, experts, args = _target(node, card_id, request)
    _check_images(card, request, request.image)
    limits = node.config.limits
    facts = request.image
    if facts is None and takes_image(card):
        facts = await _camera_facts(node, request.camera)
    elif facts is not None and facts.size_bytes > limits.body_bytes:
        raise TooLargeError(
            f"the image has {facts.size_bytes} bytes, more than the limit of {limits.body_bytes}; "
            "send a smaller one",
            code="body_too_large",
        )
    if facts is not None:
        check_pixels(facts.width, facts.height, limits.pixels)
    ahead = [await _with_facts(node, task) for task in request.ahead]
    return PendingCall(
        card=card,
        experts=experts,
        args=args,
        facts=facts,
        deadline=deadline,
        ahead=tuple(ahead),
        forward=request.forward,
    )


def _deadline(node: Node, options: InvokeOptions) -> float:
    limit_s = min(options.deadline_s, node.config.limits.deadline_s)
    return asyncio.get_running_loop().time() + limit_s


def _target(
    node: Node, card_id: str, options: InvokeOptions
) -> tuple[ToolCard, tuple[Expert, ...], dict[str, str]]:
    """Return the card, its experts here and its arguments, all checked."""
    card = node.cards.get(card_id)
    experts = _experts(node, card, options.expert)
    args = check_arguments(card, options.args)
    experts[0].check(args)
    return card, experts, args


def _experts(node: Node, card: ToolCard, chosen: str | None) -> tuple[Expert, ...]:
    available = node.experts_for(card)
    if not available:
        raise NotFoundError(
            f"this node cannot carry out {card.id!r}: {node.status(card).reason}",
            code="card_unavailable",
        )
    if chosen is None:
        return available
    named = tuple(expert for expert in available if expert.id == chosen)
    if not named:
        names = ", ".join(expert.id for expert in available)
        raise NotFoundError(
            f"this node has no expert {chosen[:100]!r} for {card.id!r}; it has {names}",
            code="unknown_expert",
        )
    return named


def check_arguments(card: ToolCard, given: Mapping[str, str]) -> dict[str, str]:
    """Check a card's arguments; the image is not one of them, it is sent separately.

    Args:
        card: The card.
        given: Values by name.

    Returns:
        The values, with defaults filled in.

    Raises:
        InputError: An argument is unknown, missing or too long.
    """
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


def takes_image(card: ToolCard) -> bool:
    """Return whether a card takes an image."""
    return any(spec.type == "image" for spec in card.arguments.values())


def _check_images(card: ToolCard, options: InvokeOptions, sent: object) -> None:
    if not takes_image(card):
        if options.camera is not None or sent is not None:
            raise InputError(f"{card.id!r} takes no image; leave it out", code="image_not_expected")
        return
    if options.camera is not None and sent is not None:
        raise InputError(
            "give either an image or the name of a photograph in the camera, not both",
            code="two_pictures",
        )
    if options.camera is None and sent is None:
        raise InputError(
            "no image was given: send one, or name a photograph in the camera",
            code="image_missing",
        )


async def _with_facts(node: Node, task: PlannedTask) -> PlannedTask:
    """Return a planned task with facts about its image, if the camera holds it."""
    if task.camera is None or task.image is not None:
        return task
    return task.model_copy(update={"image": await _camera_facts(node, task.camera)})


async def _camera_facts(node: Node, name: str | None) -> ImageFacts:
    return probe(await _photograph(node, name), max_pixels=node.config.limits.pixels)


async def _photograph(node: Node, name: str | None) -> bytes:
    assert name is not None
    return await asyncio.to_thread(
        node.camera.photograph, name, max_bytes=node.config.limits.body_bytes
    )
