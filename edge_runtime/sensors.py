"""A node's sensors, and who may read what of them."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.edge_runtime.config import NodeConfig, SensorConfig
from edgewright.edge_runtime.keys import Caller
from edgewright.tools.contracts.views import SensorView
from edgewright.tools.errors import NotFoundError, ScopeError
from edgewright.tools.sensing.camera import Camera
from edgewright.tools.sensing.protocol import Sensor
from edgewright.tools.sensing.registry import Sensors, SensorSpec, make_sensor

_EVERYBODY = "*"


class NodeSensors:
    """The sensors of a node.

    Args:
        config: The node's configuration.

    Attributes:
        camera: The camera, for cards of images.
    """

    def __init__(self, config: NodeConfig) -> None:
        self.camera = Camera(config.camera)
        made = [
            make_sensor(SensorSpec(name=one.name, kind=one.kind, source=one.source))
            for one in config.sensors
        ]
        self._sensors = Sensors([self.camera, *made] if config.camera is not None else made)
        self._rules: dict[str, SensorConfig] = {one.name: one for one in config.sensors}

    def has(self, kinds: Sequence[str]) -> bool:
        """Return whether there is a sensor of one of these kinds."""
        return any(sensor.kind in kinds for sensor in self._sensors)

    def views(self, caller: Caller) -> list[SensorView]:
        """List the sensors that a caller's tasks may read."""
        return [
            sensor.view().model_copy(update={"raw": self._allows(sensor, caller, raw=True)})
            for sensor in self._sensors
            if self._allows(sensor, caller)
        ]

    def for_task(self, kinds: Sequence[str], caller: Caller, name: str | None = None) -> Sensor:
        """Return the sensor that a task reads.

        Args:
            kinds: Kinds that the task's expert can read.
            caller: Whose task it is.
            name: Name of the sensor; None takes the first one that the caller may use.

        Raises:
            NotFoundError: There is no such sensor (``unknown_sensor``, ``sensor_missing``).
            ScopeError: The caller may not use it (``sensor_forbidden``).
        """
        known = [one for one in self._sensors if one.kind in kinds]
        if name is not None:
            known = [one for one in known if one.name == self._sensors.get(name).name]
        if not known:
            raise NotFoundError(
                f"this node has no {' or '.join(kinds)}{f' {name[:64]!r}' if name else ''}; "
                "add one to its 'sensors'",
                code="sensor_missing",
            )
        allowed = [one for one in known if self._allows(one, caller)]
        if not allowed:
            raise _forbidden(known[0].name, "use")
        return allowed[0]

    def for_reading(self, name: str, caller: Caller) -> Sensor:
        """Return a sensor whose windows the caller may read as they are.

        Raises:
            NotFoundError: There is no such sensor (``unknown_sensor``).
            ScopeError: The caller may not read it (``sensor_forbidden``).
        """
        sensor = self._sensors.get(name)
        if not self._allows(sensor, caller, raw=True):
            raise _forbidden(name, "raw")
        return sensor

    def _allows(self, sensor: Sensor, caller: Caller, *, raw: bool = False) -> bool:
        rule = self._rules.get(sensor.name)
        if rule is None:  # the folder of 'camera': tasks use it, nobody fetches from it
            return not raw
        names = rule.raw if raw else rule.use
        return _EVERYBODY in names or caller.name in names


def _forbidden(name: str, right: str) -> ScopeError:
    return ScopeError(
        f"this caller may not read the sensor {name[:64]!r}; name its key in the sensor's "
        f"{right!r}",
        code="sensor_forbidden",
    )
