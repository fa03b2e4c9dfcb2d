"""A session of ``langgraph_sdk``; run in the clients' own environment."""

import asyncio
import base64
import sys
from pathlib import Path
from typing import Any

from langgraph_sdk import get_client

GRAPH = "assistant"


async def run(client: Any, thread: str, content: Any) -> tuple[list[str], Any]:
    """Stream a turn; return the names of its parts and the last one's data."""
    turn = {"messages": [{"type": "human", "content": content}]}
    parts = [
        part
        async for part in client.runs.stream(
            thread, GRAPH, input=turn, stream_mode=["custom", "values"]
        )
    ]
    return [part.event for part in parts], parts[-1].data


async def session(url: str, data: str) -> None:
    """Ask about an image, stream, follow up, err and cancel."""
    image = {"type": "image", "mimeType": "image/jpeg", "data": data}
    async with get_client(url=url) as client:
        thread = (await client.threads.create())["thread_id"]
        events, values = await run(client, thread, [image])
        assert "custom" in events, events
        assert "cat" in values["messages"][-1]["content"].lower(), values
        _, values = await run(client, thread, "And is there a dog?")
        assert "dog" in values["messages"][-1]["content"], values

        remote = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
        events, error = await run(client, thread, [remote])
        assert events[-1] == "error", events
        assert "attach the file" in error["message"], error

        turn = {"messages": [{"type": "human", "content": [image] * 8}]}
        begun = await client.runs.create(thread, GRAPH, input=turn)
        await client.runs.cancel(thread, begun["run_id"], wait=True)
        assert (await client.runs.get(thread, begun["run_id"]))["status"] == "interrupted"
        _, values = await run(client, thread, [{"type": "text", "text": "What is it?"}, image])
        assert "cat" in values["messages"][-1]["content"].lower(), values


def main() -> None:
    """Hold the session, given the server's URL and a file."""
    url, file = sys.argv[1:]
    asyncio.run(session(url, base64.b64encode(Path(file).read_bytes()).decode()))


if __name__ == "__main__":
    main()
