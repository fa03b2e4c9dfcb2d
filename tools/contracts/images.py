"""How an image is named and described in state, plans and requests: never by its bytes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Mime = Literal["image/png", "image/jpeg", "image/webp", "image/avif"]


class ImageFacts(BaseModel):
    """What an arm is chosen by: an image's type and size, without its pixels.

    Attributes:
        mime: Type found in the bytes.
        width: Pixels as stored, before the EXIF orientation is applied.
        height: Pixels as stored.
        size_bytes: Length of the encoded image.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mime: Mime
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    size_bytes: int = Field(gt=0)


class ImageRef(BaseModel):
    """A reference to an image.

    Attributes:
        uri: ``store:<sha256>`` for an image in the image store, ``camera:<name>`` for one that a
            device's camera holds.
        sha256: Hexadecimal digest of the encoded bytes.
        mime: Type detected from the bytes, not the declared one.
        width: Width in pixels, from the header.
        height: Height in pixels, from the header.
        name: The person's name for it (a file name), used in answers and references such as "the
            first one".
        folder: The last folders of the person's path to it; tells images of one name apart.

    Digest, type and size are empty for a camera's image, which has not left its device.
    """

    model_config = ConfigDict(frozen=True)

    uri: str = Field(pattern=r"^(store:[0-9a-f]{64}|camera:[^/\\\x00]{1,200})$")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    mime: Mime | None = None
    width: int | None = Field(default=None, gt=0)
    height: int | None = Field(default=None, gt=0)
    name: str = ""
    folder: str = ""

    @classmethod
    def camera(cls, name: str) -> ImageRef:
        """Return a reference to an image that a device's camera holds."""
        return cls(uri=f"camera:{name}", name=name)

    @model_validator(mode="after")
    def _stored_is_known(self) -> ImageRef:
        if self.uri.startswith("store:") and self.uri != f"store:{self.sha256}":
            raise ValueError("uri of a stored image must be 'store:' followed by its sha256")
        return self
