"""From a request to the input of a planner, the same for ``ask`` and ``plan``."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.graphs.assistant.history import LATEST
from edgewright.graphs.services.services import Services
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import EdgewrightError


async def plan_request(
    services: Services, text: str, *, images: Sequence[ImageRef] = (), history: Sequence[Turn] = ()
) -> PlanRequest:
    """Return the input of a planner, with the current cards and sensors.

    Args:
        services: The services; cards of models trained in the meantime are added to them.
        text: The request in the person's words.
        images: Images attached to it.
        history: Earlier turns, oldest first; the latest ones are used.
    """
    await services.refresh()
    try:
        sensors = await services.node.sensors()
    except EdgewrightError:
        # Planning works without them; a node that is down is reported when it is needed.
        sensors = []
    return PlanRequest(
        text=text,
        images=tuple(images),
        history=tuple(history[-LATEST:]),
        sensors=tuple(sorted({sensor.kind for sensor in sensors})),
    )
