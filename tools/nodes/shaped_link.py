"""A link made worse on purpose: a TCP relay with a rate, a delay, and faults on demand.

Run ``python -m edgewright.tools.nodes.shaped_link --target HOST:PORT --rate KB_PER_S`` to put one
before a node; it prints one JSON line with its port and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Self

#: Most bytes that travel together; as many as on a real network, so that the rate is felt evenly.
_PACKET_BYTES = 1460
#: On a slow link fewer do, so that what is under way soon feels a change of the rate.
_PACKET_MS = 20.0
#: Small, so that a sender cannot hide what it sent in the relay's buffers.
_BUFFER_BYTES = 16_384
#: A direction that was idle for no longer was waiting for the event loop, and loses nothing.
_LATE_S = 0.005
#: A packet in the air is paid for; this many may be.
_PACKETS_IN_FLIGHT = 256


class ShapedLink:
    """Relays connections to a target; an async context manager that listens on loopback.

    All connections share the rate, which holds in each direction by itself.

    Args:
        target_host: Host to relay to.
        target_port: Port to relay to.
        rate_kb_per_s: Rate in kilobytes (1000 bytes) a second; None means unlimited.
        delay_ms: Added in each direction, so that a round trip takes twice as much longer.
        port: Port to listen on; 0 takes a free one.

    Attributes:
        port: Port that it listens on.
    """

    def __init__(
        self,
        target_host: str,
        target_port: int,
        *,
        rate_kb_per_s: float | None = None,
        delay_ms: float = 0.0,
        port: int = 0,
    ) -> None:
        self.port = port
        self._target = (target_host, target_port)
        self._up, self._down = _Pacer(rate_kb_per_s), _Pacer(rate_kb_per_s)
        self._delay_s = delay_ms / 1000
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._cut_after: int | None = None
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self.port))
        # Connections inherit all three. Segments must be smaller than the buffer, or TCP waits; and
        # asyncio leaves Nagle's delay on for sockets that were made without naming the protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _PACKET_BYTES)
        self._server = await asyncio.start_server(self._accept, sock=listener, limit=_PACKET_BYTES)
        self.port = listener.getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        tasks = self._break_all()
        await asyncio.gather(*tasks, return_exceptions=True)

    def set_rate(self, rate_kb_per_s: float | None) -> None:
        """Change the rate of both directions; None means unlimited."""
        self._up.rate_kb_per_s = self._down.rate_kb_per_s = rate_kb_per_s

    def set_delay(self, delay_ms: float) -> None:
        """Change the delay of each direction for what is sent from now on."""
        self._delay_s = delay_ms / 1000

    def cut_after(self, n_bytes: int) -> None:
        """Break, once, the connection that carries the upload past ``n_bytes`` from now on.

        Both sides see a reset; the bytes before the cut were passed on.
        """
        self._cut_after = n_bytes

    def stall(self, on: bool) -> None:
        """Hold all bytes back, or let them flow again; connections stay open."""
        if on:
            self._flowing.clear()
        else:
            self._flowing.set()

    def refuse(self, on: bool) -> None:
        """Break all connections and reset new ones at once, or stop doing so."""
        self._refusing = on
        if on:
            self._break_all()

    def _break_all(self) -> list[asyncio.Task[None]]:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        return tasks

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._connections[task] = [writer]
        with suppress(asyncio.CancelledError):  # only this class cancels it, to break it
            await self._relay(reader, writers)
        for one in writers:
            _reset(one)
        del self._connections[task]

    async def _relay(
        self, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]
    ) -> None:
        """Relay one connection until both directions have ended, or one has broken."""
        if self._refusing:
            return
        try:
            target_reader, target_writer = await asyncio.open_connection(
                *self._target, limit=_PACKET_BYTES
            )
            writers.append(target_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, target_writer, self._up))
                group.create_task(self._pass_on(target_reader, writers[0], self._down))
        except* OSError:
            pass  # one side is gone, or was cut off; the other is reset by the caller

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pacer: _Pacer
    ) -> None:
        """Carry one direction: packets leave at the rate, and arrive after the delay."""
        loop = asyncio.get_running_loop()
        air: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PACKETS_IN_FLIGHT)
        async with asyncio.TaskGroup() as group:
            arriving = group.create_task(self._arrive(air, writer))
            cut = False
            while not cut and (packet := await reader.read(pacer.packet_bytes)):
                if pacer is self._up:
                    packet, cut = self._until_cut(packet)
                await pacer.send(len(packet))
                await air.put((loop.time() + self._delay_s, packet))
            await air.join()
            arriving.cancel()
            if cut:
                raise ConnectionResetError("cut on purpose")
            writer.write_eof()

    async def _arrive(
        self, air: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, packet = await air.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._flowing.wait()
            writer.write(packet)
            await writer.drain()
            air.task_done()

    def _until_cut(self, packet: bytes) -> tuple[bytes, bool]:
        """Return what of an upload comes before the cut, and whether the cut is there."""
        if self._cut_after is None:
            return packet, False
        passed = packet[: self._cut_after]
        self._cut_after -= len(passed)
        if self._cut_after:
            return passed, False
        self._cut_after = None
        return passed, True


class _Pacer:
    """One direction of the link: each byte takes its time on it, one after the other."""

    def __init__(self, rate_kb_per_s: float | None) -> None:
        self.rate_kb_per_s = rate_kb_per_s
        self._free_at = 0.0

    @property
    def packet_bytes(self) -> int:
        """Bytes that should travel together at this rate."""
        if self.rate_kb_per_s is None:
            return _PACKET_BYTES
        return max(1, min(_PACKET_BYTES, round(_PACKET_MS * self.rate_kb_per_s)))

    async def send(self, n_bytes: int) -> None:
        """Return when so many bytes have gone through."""
        if self.rate_kb_per_s is None:
            return
        now = asyncio.get_running_loop().time()
        start = self._free_at if now - self._free_at < _LATE_S else now
        self._free_at = start + n_bytes / 1000 / self.rate_kb_per_s
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection; with a reset if anything is still under way."""
    if not writer.transport.is_closing():
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def _serve(target: str, rate_kb_per_s: float | None, delay_ms: float, port: int) -> None:
    host, _, target_port = target.rpartition(":")
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with ShapedLink(
        host, int(target_port), rate_kb_per_s=rate_kb_per_s, delay_ms=delay_ms, port=port
    ) as link:
        sys.stdout.write(json.dumps({"event": "ready", "port": link.port}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True, metavar="HOST:PORT")
    parser.add_argument("--rate", type=float, metavar="KB_PER_S", help="unlimited if not given")
    parser.add_argument("--delay", type=float, default=0.0, metavar="MS", help="one way")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.target, options.rate, options.delay, options.port))


if __name__ == "__main__":
    _main()
