"""Making sensors from their configuration: the built-in kinds and those of plug-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgewright.tools.contracts.views import SensorView
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.plugins import entries, is_permitted
from edgewright.tools.sensing.camera import Camera
from edgewright.tools.sensing.microphone import Microphone
from edgewright.tools.sensing.network import Network
from edgewright.tools.sensing.protocol import Sensor

#: Group of entry points: the name is the kind, the object a ``SensorFactory``.
GROUP = "edgewright.sensors"

#: Makes a sensor from its name and source.
SensorFactory = Callable[[str, str], Sensor]

_BUILTIN: dict[str, SensorFactory] = {
    "camera": lambda name, source: Camera(Path(source), name),
    "microphone": lambda name, source: Microphone(source, name),
    "wifi": lambda name, source: Network(source, name),
}


@dataclass(frozen=True, kw_only=True)
class SensorSpec:
    """What a sensor is made from.

    Attributes:
        name: Its name on its node.
        kind: Its kind.
        source: A file, a folder, ``live``, or what its plug-in understands.
    """

    name: str
    kind: str
    source: str


def make_sensor(spec: SensorSpec) -> Sensor:
    """Make a sensor; nothing of it is read yet.

    Raises:
        InputError: No kind of that name is installed (``unknown_sensor_kind``).
    """
    plugins = {entry.name: entry for entry in entries(GROUP) if is_permitted(entry)}
    if spec.kind in _BUILTIN:
        return _BUILTIN[spec.kind](spec.name, spec.source)
    if spec.kind in plugins:
        factory: SensorFactory = plugins[spec.kind].load()
        return factory(spec.name, spec.source)
    known = ", ".join(sorted({*_BUILTIN, *plugins}))
    raise InputError(
        f"no kind of sensor is called {spec.kind[:100]!r}; there are {known}",
        code="unknown_sensor_kind",
    )


class Sensors:
    """The sensors of a node, by name.

    Args:
        sensors: The sensors.
    """

    def __init__(self, sensors: Iterable[Sensor] = ()) -> None:
        self._by_name: dict[str, Sensor] = {}
        for sensor in sensors:
            if sensor.name in self._by_name:
                raise InputError(
                    f"two sensors are called {sensor.name!r}; give each a name of its own",
                    code="invalid_config",
                )
            self._by_name[sensor.name] = sensor

    def __iter__(self) -> Iterator[Sensor]:
        """Yield the sensors in the order of their configuration."""
        return iter(self._by_name.values())

    def get(self, name: str) -> Sensor:
        """Return the sensor of a name.

        Raises:
            NotFoundError: There is none (``unknown_sensor``).
        """
        if name not in self._by_name:
            known = ", ".join(self._by_name) or "none"
            raise NotFoundError(
                f"there is no sensor {name[:100]!r}; there is {known}", code="unknown_sensor"
            )
        return self._by_name[name]


def kinds() -> list[SensorView]:
    """Return the kinds that are installed, in the form of sensors without a source."""
    plugins = sorted(entry.name for entry in entries(GROUP) if is_permitted(entry))
    return [
        SensorView(kind=kind, name=kind, source="built in" if kind in _BUILTIN else "plug-in")
        for kind in (*_BUILTIN, *plugins)
    ]
