"""Closed lists of the quantities a device can sense, their units, and device interfaces.

A draft consists of these words and of numbers alone, so no wording of a manual can reach a planner.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

#: Device interfaces: the name on a card, and a pattern for the spellings in manuals.
INTERFACES: dict[str, str] = {
    "1-Wire": r"1-wire",
    "4-20 mA": r"4\s?(?:-|\u2013|to|…|\.\.\.?)\s?20\s?mA",
    "Bluetooth": r"bluetooth|BLE",
    "CAN": r"CAN(?:[ -]bus|open|\sFD)",
    "Ethernet": r"ethernet|RJ-?45",
    "HTTP": r"HTTPS?|REST\sAPI",
    "I2C": r"I2C|I²C|IIC",
    "I2S": r"I2S|I²S",
    "LoRaWAN": r"LoRa(?:WAN)?",
    "Modbus": r"modbus(?:\s(?:RTU|TCP))?",
    "MQTT": r"MQTT",
    "RS-232": r"RS-?232",
    "RS-485": r"RS-?485",
    "SPI": r"SPI",
    "UART": r"UART",
    "USB": r"USB(?:-C)?",
    "Wi-Fi": r"wi-?fi|WLAN|IEEE\s802\.11\w*",
    "Zigbee": r"zigbee",
}
#: Name of a device: letters and a number, too short to carry any other content.
DESIGNATION = re.compile(r"\b[A-Z]{1,5}-?\d{1,5}[A-Z]{0,2}\b")


class Quantity(BaseModel):
    """A quantity that a device can sense.

    Attributes:
        name: Its name.
        words: What manuals call it.
        units: Canonical units of its readings.
        sensor: Kind of sensor.
        output: Kind of data of a reading.
        ask: Example requests for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    words: tuple[str, ...]
    units: tuple[str, ...]
    sensor: str
    output: Literal["signal", "audio"] = "signal"
    ask: tuple[str, ...]


@cache
def units() -> dict[str, tuple[str, ...]]:
    """Return the units of readings and supplies, each with its other spellings."""
    return {unit: tuple(aliases or ()) for unit, aliases in _packaged("units").items()}


@cache
def quantities() -> dict[str, Quantity]:
    """Return all known quantities by name."""
    return {entry["name"]: Quantity.model_validate(entry) for entry in _packaged("quantities")}


@cache
def line_kinds() -> tuple[tuple[str, str], ...]:
    """Return example sentences of manuals, each preceded by its kind."""
    examples = _packaged("line_kinds")
    return tuple((kind, sentence) for kind in examples for sentence in examples[kind])


def _packaged(name: str) -> Any:
    folder = files("edgewright.agents.manuals")
    return yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))
