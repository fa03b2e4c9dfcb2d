"""Routes for artifacts: the files of exported models, for devices that do not have them."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from fastapi.responses import FileResponse

from edgewright.edge_runtime.api.middleware import ARTIFACTS_PATH
from edgewright.tools.contracts.views import OfferedModel
from edgewright.tools.errors import NotFoundError
from edgewright.tools.library import models
from edgewright.tools.models.artifacts import artifact, offered

router = APIRouter(tags=["artifacts"])


@router.get(ARTIFACTS_PATH)
async def list_artifacts() -> list[OfferedModel]:
    """List the exported models that this node offers."""
    return await asyncio.to_thread(offered, models())


@router.get(f"{ARTIFACTS_PATH}/{{digest}}", response_class=FileResponse)
async def read_artifact(digest: str) -> FileResponse:
    """Return a file by its SHA-256, or with ``Range`` a part of it."""
    path = await asyncio.to_thread(artifact, models(), digest)
    if path is None:
        raise NotFoundError(
            f"this node has no artifact {digest[:16]!r}; GET {ARTIFACTS_PATH} lists what it offers",
            code="unknown_artifact",
        )
    return FileResponse(path, media_type="application/octet-stream")
