"""How a picture is named in state, plans and requests: never by its bytes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Mime = Literal["image/png", "image/jpeg", "image/webp", "image/avif"]


class ImageRef(BaseModel):
    """A picture, by reference.

    Attributes:
        uri: ``store:<sha256>`` for a picture in the image store, ``camera:<name>`` for one that a
            device's camera holds.
        sha256: Digest of the encoded bytes, hexadecimal.
        mime: Type found in the bytes, not the one claimed.
        width: Pixels, from the header.
        height: Pixels, from the header.
        name: What the person called it (a file name), for answers and for "the first one".

    Digest, type and size are empty for a camera's picture, which never left its device.
    """

    model_config = ConfigDict(frozen=True)

    uri: str = Field(pattern=r"^(store:[0-9a-f]{64}|camera:[^/\\\x00]{1,200})$")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    mime: Mime | None = None
    width: int | None = Field(default=None, gt=0)
    height: int | None = Field(default=None, gt=0)
    name: str = ""

    @classmethod
    def camera(cls, name: str) -> ImageRef:
        """Name a picture that a device's camera holds."""
        return cls(uri=f"camera:{name}", name=name)

    @model_validator(mode="after")
    def _stored_is_known(self) -> ImageRef:
        if self.uri.startswith("store:") and self.uri != f"store:{self.sha256}":
            raise ValueError("the uri of a stored picture names its sha256")
        return self
