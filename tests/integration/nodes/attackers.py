"""Attackers on one core: idle, dripping and never-reading connections, and greedy clients.

``attackers.py PORT KEY IMAGE SECONDS`` attacks from 127.0.0.2 to 127.0.0.20, and prints a line of
JSON with the number of each response that the greedy clients got.
"""

import asyncio
import json
import os
import random
import re
import resource
import socket
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

IDLE, DRIPPING, UNREAD, GREEDY = 1100, 300, 40, 16
HOSTS = [f"127.0.0.{number}" for number in range(2, 21)]
COMPLETE = re.compile(rb".*\r\ncontent-length: (?P<length>\d+)\r\n.*?\r\n\r\n", re.DOTALL)
INVOKE = "/v1/tools/image-classification:invoke"


class Attack:
    def __init__(self, port: int, key: str, image: bytes) -> None:
        self.port = port
        self.key = f"Authorization: Bearer {key}\r\n".encode()
        self.image = image
        self.answers: Counter[str] = Counter()

    async def connect(self, index: int, *, receive_bytes: int = 0):
        one = socket.socket()
        if receive_bytes:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        one.setblocking(False)
        one.bind((HOSTS[index % len(HOSTS)], 0))
        try:
            await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", self.port))
        except OSError:
            one.close()
            raise
        return one

    async def idle(self, index: int) -> None:
        with await self.connect(index) as one:
            await asyncio.get_running_loop().sock_recv(one, 1)

    async def drip(self, index: int) -> None:
        loop = asyncio.get_running_loop()
        with await self.connect(index) as one:
            await loop.sock_sendall(one, b"GET /v1/tools HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            while True:
                await loop.sock_sendall(one, b"X-a: b\r\n")
                await asyncio.sleep(1 + random.random())

    async def never_read(self, index: int) -> None:
        loop = asyncio.get_running_loop()
        asked = b"GET /v1/tools HTTP/1.1\r\nHost: 127.0.0.1\r\n" + self.key + b"\r\n"
        with await self.connect(index, receive_bytes=4096) as one:
            while True:
                await loop.sock_sendall(one, asked * 8)
                await asyncio.sleep(0.5)

    async def greedy(self, index: int) -> None:
        loop = asyncio.get_running_loop()
        head = (
            f"POST {INVOKE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/jpeg\r\n"
            f"Content-Length: {len(self.image)}\r\n"
        ).encode()
        with await self.connect(index) as one:
            while True:
                await loop.sock_sendall(one, head + self.key + b"\r\n" + self.image)
                answer = b""
                while not (found := COMPLETE.match(answer)):
                    part = await loop.sock_recv(one, 65_536)
                    if not part:
                        return
                    answer += part
                while len(answer) < found.end() + int(found["length"]):
                    answer += await loop.sock_recv(one, 65_536)
                status = answer.split(b" ", 2)[1].decode()
                with_time = b"\r\nretry-after:" in answer.lower()
                self.answers[f"{status} retry-after" if with_time else status] += 1

    async def again(self, attack, index: int) -> None:
        while True:
            with suppress(OSError):
                await attack(index)
            await asyncio.sleep(0.2 + random.random() / 2)

    def _begin(self, attack, number: int) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.again(attack, index)) for index in range(number)]

    async def run(self, seconds: float) -> None:
        # Idle connections would take the places of greedy clients that come later.
        tasks = self._begin(self.greedy, GREEDY)
        await asyncio.sleep(1)
        for kind, number in ((self.idle, IDLE), (self.drip, DRIPPING), (self.never_read, UNREAD)):
            tasks += self._begin(kind, number)
        await asyncio.sleep(seconds - 1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def main() -> None:
    port, key, image, seconds = sys.argv[1:]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    attack = Attack(int(port), key, Path(image).read_bytes())
    asyncio.run(attack.run(float(seconds)))
    sys.stdout.write(json.dumps(attack.answers))


if __name__ == "__main__":
    main()
