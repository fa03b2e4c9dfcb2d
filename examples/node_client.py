"""Call a node directly: python examples/node_client.py http://127.0.0.1:8761 cat.png.

Needs only edgewright[edge]; start a node with: edgewright node --config examples/edge.yaml
"""

import asyncio
import sys
from pathlib import Path

from edgewright import InvokeOptions, LinkError, NodeClient


async def main(url: str, image: str) -> None:
    async with NodeClient(url) as node:
        for card in await node.tools():
            if card.available:
                print(card.id)
        options = InvokeOptions(deadline_s=20)
        response = await node.invoke("image-classification", options, Path(image).read_bytes())
    if response.error is not None:
        sys.exit(response.error.message)
    print(response.output["text"])


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except LinkError as error:
        sys.exit(error.message)
