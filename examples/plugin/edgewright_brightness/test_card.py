"""The sensor: a camera that always shows the same grey image. A real one would read a device."""

from __future__ import annotations

import io

from PIL import Image

from edgewright.tools.contracts.views import SensorView
from edgewright.tools.errors import NotFoundError
from edgewright.tools.sensing.protocol import MAX_WINDOW_BYTES, Photograph, Privacy, Window

ITEM = "grey.png"


class TestCard:
    """A grey image; implements ``Sensor``.

    Args:
        name: Name of the sensor.
        source: How bright it is, 0 to 255.
    """

    kind = "test-card"
    privacy: Privacy = "metadata"

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self._grey = int(source or 128)

    def view(self) -> SensorView:
        """Return what it is."""
        return SensorView(
            kind=self.kind, name=self.name, items=[ITEM], unit="photograph", privacy=self.privacy
        )

    def read(
        self, seconds: float, *, max_bytes: int = MAX_WINDOW_BYTES, item: str | None = None
    ) -> Window:
        """Return the image."""
        if item not in (None, ITEM):
            raise NotFoundError(f"there is no image {item!r}; there is {ITEM!r}")
        png = io.BytesIO()
        Image.new("L", (64, 48), self._grey).save(png, "PNG")
        values = Photograph(name=ITEM, data=png.getvalue())
        return Window(sensor=self.name, kind=self.kind, seconds=0.0, values=values)


def make(name: str, source: str) -> TestCard:
    """Make the sensor from its name and source; the entry point names this function."""
    return TestCard(name, source)
