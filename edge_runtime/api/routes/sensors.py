"""Routes for sensors: list them, and read a window as it is where that is allowed."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from edgewright.edge_runtime.api.bodies import read_fields
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.views import SensorRequest, SensorView

router = APIRouter(tags=["node"])

READ_PATH = "/v1/sensors/{sensor}/read"


@router.get("/v1/sensors")
async def list_sensors(request: Request) -> list[SensorView]:
    """List the sensors that the caller's tasks may read, and their items."""
    node: Node = request.app.state.node
    return await asyncio.to_thread(node.sensors.views, request.scope["caller"])


@router.post(READ_PATH)
async def read_sensor(request: Request, sensor: str) -> dict[str, Any]:
    """Read a window of a sensor as it is; the sensor's configuration must allow it."""
    node: Node = request.app.state.node
    found = node.sensors.for_reading(sensor, request.scope["caller"])
    limits = node.config.limits
    wanted = await read_fields(SensorRequest, request.scope, request.receive, limits)
    seconds = min(wanted.seconds, limits.deadline_s)
    window = await asyncio.to_thread(
        found.read, seconds, max_bytes=limits.body_bytes, item=wanted.item
    )
    return window.as_json()
