"""Ask about an image: python examples/ask.py cat.png "What animal is this?".

Without EDGEWRIGHT_DEVICE_URL, a private node is started for the session.
"""

import asyncio
import sys

from edgewright import EdgewrightError, open_session


async def main(image: str, question: str) -> None:
    async with open_session() as session:
        reply = await session.ask(question, images=[image])
    print(reply.answer)
    for result in reply.results:
        if result.report is not None:
            print(f"{result.tool}: {result.report.arm}, {result.report.bytes_up} bytes sent")


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except EdgewrightError as error:
        sys.exit(error.message)
