"""The sensor protocol: what a sensor is, and the windows of typed values that it gives."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.views import SensorView
from edgewright.tools.sensing.packets.flows import Flow

#: Maximum size of a window, in bytes: a minute and a half of sound, or a large photograph.
MAX_WINDOW_BYTES = 16_000_000

#: ``content`` shows what people look like or say, ``metadata`` with whom they are connected.
Privacy = Literal["content", "metadata"]


@dataclass(frozen=True)
class Photograph:
    """A window of a camera: an encoded image."""

    name: str
    data: bytes

    @property
    def size_bytes(self) -> int:
        """Bytes that were read."""
        return len(self.data)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values, with the image in base64."""
        return {"name": self.name, "image_base64": base64.b64encode(self.data).decode()}


@dataclass(frozen=True)
class Audio:
    """A window of a microphone: samples of one channel, 16 bits each [T]."""

    samples: NDArray[np.int16]
    sample_rate: int

    @property
    def size_bytes(self) -> int:
        """Bytes of the samples."""
        return int(self.samples.nbytes)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values, with the samples as little-endian integers in base64."""
        data = base64.b64encode(self.samples.astype("<i2").tobytes()).decode()
        return {"sample_rate": self.sample_rate, "pcm16_base64": data}


@dataclass(frozen=True)
class Traffic:
    """A window of a network: flows, without what was said in them.

    Attributes:
        flows: The flows, in the order of their first packets.
        packets: Number of packets that were read.
        seconds: Time between the first and the last one.
    """

    flows: tuple[Flow, ...]
    packets: int
    seconds: float

    @property
    def size_bytes(self) -> int:
        """Bytes of what is kept: a time and a size for each packet, and the names."""
        return sum(16 * len(flow.times) + len(flow.name) + 64 for flow in self.flows)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values: the flows' sums."""
        flows = [flow.as_json() for flow in self.flows]
        return {"packets": self.packets, "seconds": round(self.seconds, 3), "flows": flows}


Values = Photograph | Audio | Traffic


@dataclass(frozen=True, kw_only=True)
class Window:
    """What a sensor saw during some time.

    Attributes:
        sensor: Name of the sensor.
        kind: Kind of the sensor.
        seconds: Length of the window; 0 for a photograph.
        values: The values.
    """

    sensor: str
    kind: str
    seconds: float
    values: Values

    def as_json(self) -> dict[str, Any]:
        """Return the window as JSON values."""
        return {
            "sensor": self.sensor,
            "kind": self.kind,
            "seconds": round(self.seconds, 3),
            "size_bytes": self.values.size_bytes,
            "values": self.values.as_json(),
        }


class Sensor(Protocol):
    """A sensor of a node; opened without touching hardware, so that it can be listed.

    Attributes:
        name: Its name on its node.
        kind: ``camera``, ``microphone``, ``wifi`` or a plug-in's; cards name the kinds they need.
        privacy: What its windows reveal.
    """

    name: str
    kind: str
    privacy: Privacy

    def view(self) -> SensorView:
        """Return what it is, for lists."""
        ...

    def read(
        self, seconds: float, *, max_bytes: int = MAX_WINDOW_BYTES, item: str | None = None
    ) -> Window:
        """Read a window; this may take as long as the window lasts.

        Args:
            seconds: Length of the window; a recorded source may be shorter.
            max_bytes: Maximum size of the window.
            item: Name of an item, for a sensor that lists some.

        Raises:
            NotFoundError: There is no such item or device.
            InputError: The source cannot be read.
            TooLargeError: The window is larger than allowed.
            UnavailableError: The sensor is not connected, or may not be read by this process.
        """
        ...
