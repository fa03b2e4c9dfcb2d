"""Resources: the node, reports of trainings, and images by their digest."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any

from mcp_types import (
    BlobResourceContents,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from edgewright.graphs.federated.context import run_folder
from edgewright.servers.front import Front
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import NotFoundError
from edgewright.tools.federated.records.report import read_report
from edgewright.tools.settings import home

SCHEME = "edgewright://"
NODE_URI = f"{SCHEME}node"
_JSON = "application/json"
_IMAGE = re.compile(rf"{SCHEME}images/([0-9a-f]{{64}})")
_REPORT = re.compile(rf"{SCHEME}reports/([A-Za-z0-9_-]{{1,64}})")
#: Number of reports that are listed, latest first.
_LISTED = 100


def image_uri(digest: str) -> str:
    """Return the URI of an image in the store."""
    return f"{SCHEME}images/{digest}"


async def list_resources() -> list[Resource]:
    """List the node and the reports; images are read by their digest, and never listed."""
    runs = await asyncio.to_thread(_runs)
    node = Resource(
        name="node",
        uri=NODE_URI,
        title="The node and what it can do",
        mime_type=_JSON,
    )
    return [
        node,
        *(
            Resource(
                name=run, uri=f"{SCHEME}reports/{run}", title=f"Training {run}", mime_type=_JSON
            )
            for run in runs
        ),
    ]


def list_templates() -> list[ResourceTemplate]:
    """List the forms of URIs that are not listed one by one."""
    return [
        ResourceTemplate(name="image", uri_template=f"{SCHEME}images/{{sha256}}"),
        ResourceTemplate(name="report", uri_template=f"{SCHEME}reports/{{run}}", mime_type=_JSON),
    ]


async def read_resource(front: Front, uri: str) -> ReadResourceResult:
    """Read a resource.

    Args:
        front: The front.
        uri: Its URI.

    Raises:
        NotFoundError: There is no such resource.
        EdgewrightError: The node cannot be reached.
    """
    services = front.session.services
    if uri == NODE_URI:
        tools, sensors = await services.node.tools(), await services.node.sensors()
        return _text(
            uri,
            {
                "tools": [view.model_dump(mode="json", by_alias=True) for view in tools],
                "sensors": [view.model_dump(mode="json") for view in sensors],
            },
        )
    if found := _IMAGE.fullmatch(uri):
        ref = ImageRef(uri=f"store:{found[1]}", sha256=found[1])
        data = await asyncio.to_thread(services.images.get, ref)
        facts = await asyncio.to_thread(services.images.facts, ref)
        blob = base64.b64encode(data).decode()
        contents = BlobResourceContents(uri=uri, mime_type=facts.mime, blob=blob)
        return ReadResourceResult(contents=[contents])
    if found := _REPORT.fullmatch(uri):
        return _text(
            uri,
            (await asyncio.to_thread(read_report, run_folder(found[1]))).model_dump(mode="json"),
        )
    raise NotFoundError(
        f"there is no resource {uri[:200]!r}; list the resources", code="unknown_resource"
    )


def _runs() -> list[str]:
    """Return the names of the runs that have a report, latest first."""
    reports = (home() / "runs").glob("*/report.json")
    found = [
        (path.stat().st_mtime, path.parent.name)
        for path in reports
        if _REPORT.fullmatch(f"{SCHEME}reports/{path.parent.name}")
    ]
    return [name for _, name in sorted(found, reverse=True)[:_LISTED]]


def _text(uri: str, values: Any) -> ReadResourceResult:
    text = json.dumps(values, ensure_ascii=False)
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=_JSON, text=text)])
