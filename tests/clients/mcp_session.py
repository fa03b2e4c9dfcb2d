"""A session of the ``mcp`` client; run in the clients' own environment."""

import asyncio
import base64
import sys
from pathlib import Path

import anyio
from mcp import Client


async def session(url: str, image: str) -> None:
    """Ask about an image with progress, follow up, err and cancel."""
    steps: list[str | None] = []

    async def progress(number: float, total: float | None, message: str | None) -> None:
        steps.append(message)

    async with Client(f"{url}/mcp", mode="legacy", read_timeout_seconds=120) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"ask", "plan", "train", "image-classification"} <= tools, tools
        result = await client.call_tool("image-classification", {"image": image})
        assert "cat" in result.structured_content["text"].lower(), result
        (link,) = [each for each in result.content if each.type == "resource_link"]

        stored = f"store:{str(link.uri).rpartition('/')[2]}"
        asked = {"request": "Is there a dog?", "images": [stored]}
        reply = await client.call_tool("ask", asked, progress_callback=progress)
        assert "dog" in reply.structured_content["answer"], reply
        assert steps[0] == "understood", steps

        refused = await client.call_tool("image-classification", {"image": "%%%"})
        assert refused.is_error
        assert refused.structured_content["error"]["code"] == "not_an_image", refused
        with anyio.move_on_after(0.02) as scope:
            await client.call_tool("ask", {"request": "What is it?", "images": [image] * 8})
        assert scope.cancelled_caught
        plan = await client.call_tool("plan", asked)
        assert plan.structured_content["tasks"], plan


def main() -> None:
    """Hold the session, given the server's URL and a file."""
    url, file = sys.argv[1:]
    asyncio.run(session(url, base64.b64encode(Path(file).read_bytes()).decode()))


if __name__ == "__main__":
    main()
