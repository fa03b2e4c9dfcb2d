"""Call a card as a LangChain tool: python examples/langchain_tools.py cat.png.

Pass the tools to any LangChain agent, such as create_agent(model, tools).
"""

import asyncio
import sys

from edgewright import make_tools, open_services, resolve_image


async def main(path: str) -> None:
    async with open_services() as services:
        tools = {tool.name: tool for tool in await make_tools(services)}
        print("tools:", *tools)
        # Tools take stored images, so that an agent cannot read files.
        image = resolve_image(path, services.images)
        print(await tools["image-classification"].ainvoke({"image": image.uri}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
