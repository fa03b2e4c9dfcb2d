"""Views: the forms in which a node lists its cards, sensors and models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.contracts.cards import CardStatus


class OfferedModel(BaseModel):
    """An exported model that a node offers to others.

    Attributes:
        model: Model id.
        manifest: Hexadecimal SHA-256 of its manifest, which has the digests of its other files.
        bytes: Size of all its files.
    """

    model: str
    manifest: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class CardView(BaseModel):
    """A card as a node lists it.

    Attributes:
        id: Card id.
        task_type: Hugging Face task name.
        description: The card's description.
        schema_: JSON schema of the arguments.
        available: Whether this node can run it.
        expert: Id of the expert that would run it.
        approximate: Whether that expert stands in for a better one.
        reason: Why it is not available, or what would improve it.
    """

    model_config = ConfigDict(populate_by_name=True)

    id: str
    task_type: str
    description: str
    schema_: dict[str, Any] = Field(alias="schema")
    available: bool
    expert: str | None
    approximate: bool
    reason: str

    @classmethod
    def of(cls, status: CardStatus) -> CardView:
        """Return the view of a card with its status on this machine."""
        expert = status.expert
        return cls(
            id=status.card.id,
            task_type=status.card.task_type,
            description=status.card.description,
            schema_=status.card.json_schema(),
            available=status.available,
            expert=expert.expert if expert else None,
            approximate=bool(expert and expert.approximate),
            reason=status.reason,
        )


class SensorView(BaseModel):
    """A sensor of a device and the items it holds.

    Attributes:
        kind: ``camera``, ``microphone`` …
        name: Name of the sensor.
        items: For a camera: names of its images.
        rate_hz: Values a second; None if it has no fixed rate.
        unit: What one value is.
        privacy: ``content`` if it shows what people look like or say, ``metadata`` if it shows
            with whom they are connected.
        source: ``live``, or what stands in for it: ``file`` or ``folder``.
        raw: Whether the caller may read its windows, and not only the results of tasks.
    """

    kind: str
    name: str
    items: list[str] = Field(default_factory=list)
    rate_hz: float | None = None
    unit: str = ""
    privacy: str = "content"
    source: str = "folder"
    raw: bool = False


class SensorRequest(BaseModel):
    """A request for a window of a sensor.

    Attributes:
        seconds: Length of the window; a recording may be shorter.
        item: Name of an item, for a sensor that lists some.
    """

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(default=10.0, gt=0, le=3600)
    item: str | None = Field(default=None, max_length=200)


class MoodLabel(BaseModel):
    """How the person feels at present, as a label of what the sensor sees.

    Attributes:
        label: The label.
        args: The card's arguments.
    """

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1, max_length=32)
    args: dict[str, str] = Field(default_factory=dict, max_length=10)


class MoodLabels(BaseModel):
    """The labelled windows of a card on a node.

    Attributes:
        features: Names of the features that are kept of each window.
        labels: Number of windows by label.
    """

    features: list[str]
    labels: dict[str, int]


class MoodRound(BaseModel):
    """A network at the start or at the end of a round of training on one node.

    Attributes:
        network_base64: The network.
        right: At the end: for each window that was kept for that, whether the network at the start
            names its label.
    """

    model_config = ConfigDict(extra="forbid")

    network_base64: str = Field(max_length=200_000)
    right: list[bool] = Field(default_factory=list, max_length=10_000)


class ModelView(BaseModel):
    """A model in the form of KServe's ``/v2/models/{model}``."""

    name: str
    versions: list[str]
    platform: str = "edgewright"
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    ready: bool
    partition_points: int
