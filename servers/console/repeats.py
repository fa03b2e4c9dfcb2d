"""Running one task of an answered request again, with another arm."""

from __future__ import annotations

import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from edgewright.graphs.assistant.waves import fill_in
from edgewright.graphs.services.inputs import inputs_of, stored_images
from edgewright.graphs.services.services import Services
from edgewright.servers.console.conversations import Exchange
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.errors import InputError, NotFoundError

Json = dict[str, Any]

_DEADLINE_S = 60.0


class Repeat(BaseModel):
    """What is run again.

    Attributes:
        task: Id of the task.
        arm: The arm; one of those that were considered for it.
    """

    model_config = ConfigDict(extra="forbid")

    task: str = Field(max_length=20)
    arm: Arm


async def repeat(exchange: Exchange, wanted: Repeat, services: Services) -> Json:
    """Run a task again, and return the event that says what came of it.

    Args:
        exchange: The request.
        wanted: The task and the arm.
        services: The services of the session.

    Raises:
        NotFoundError: There is no such task, or no result of it yet (``unknown_task``).
        InputError: The arm was not considered for it (``arm_unknown``).
        EdgewrightError: The node cannot be reached.
    """
    reply = exchange.reply
    decision = reply.decisions.get(wanted.task) if reply is not None else None
    if reply is None or decision is None:
        raise NotFoundError(
            "no arm was chosen for this task yet; wait for the answer", code="unknown_task"
        )
    if wanted.arm not in [forecast.arm for forecast in decision.forecasts]:
        raise InputError(
            "this arm was not considered for the task; choose one of its forecasts",
            code="arm_unknown",
        )
    planned = next(task for task in reply.plan.tasks if task.id == wanted.task)
    task = fill_in(planned, {result.task_id: result for result in reply.results})
    card = services.cards.get(task.tool)
    inputs = inputs_of(card, task.args, services.images, deadline_s=_DEADLINE_S)
    options = inputs.options.model_copy(update={"arm": wanted.arm})
    began = time.perf_counter()
    response = await services.node.invoke(task.tool, options, await inputs.data())
    return {
        "event": "again",
        "task_id": task.id,
        "arm": wanted.arm.model_dump(mode="json"),
        "ms": round((time.perf_counter() - began) * 1000, 1),
        "status": response.status,
        "output": await stored_images(response.output, services.images),
        "report": response.report.model_dump(mode="json") if response.report else None,
        "error": response.error.model_dump(mode="json") if response.error else None,
    }
