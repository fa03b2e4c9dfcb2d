"""A traffic-shaping TCP relay that emulates a slow link: rate, delay and faults on demand.

Run ``python -m edgewright.tools.nodes.shaped_link --target HOST:PORT --rate KB_PER_S`` to place one
in front of a node. It prints one JSON line with its port and exits on SIGTERM.
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

#: Maximum bytes of a packet, as on a real network, so that the rate is even.
_PACKET_BYTES = 1460
#: Maximum duration of a packet: on a slow link packets are smaller, so that a change of the rate
#: takes effect soon.
_PACKET_MS = 20.0
#: Small, so that the relay's buffers do not hide the link from the sender.
_BUFFER_BYTES = 16_384
#: Shorter idle times are event-loop latency and do not reduce the throughput.
_JITTER_S = 0.005
#: Maximum number of packets that have been sent but are still delayed.
_PACKETS_IN_FLIGHT = 256


class ShapedLink:
    """Relays connections to a target; an async context manager that listens on loopback.

    All connections share the rate, which applies to each direction separately.

    Args:
        target_host: Host to relay to.
        target_port: Port to relay to.
        rate_kb_per_s: Rate in kilobytes (1000 bytes) per second; None means unlimited.
        delay_ms: Delay added in each direction; a round trip takes twice as much longer.
        port: Port to listen on; 0 selects a free one.

    Attributes:
        port: The port it listens on.
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
        self._released = asyncio.Event()
        self._released.set()
        self._refusing = False
        self._cut_after: int | None = None
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self.port))
        # Connections inherit all three options. Segments must be smaller than the buffer, or TCP
        # stalls. asyncio does not disable Nagle's algorithm on sockets created without an explicit
        # protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _PACKET_BYTES)
        self._server = await asyncio.start_server(self._accept, sock=listener, limit=_PACKET_BYTES)
        self.port = listener.getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        tasks = self._reset_all()
        await asyncio.gather(*tasks, return_exceptions=True)

    def set_rate(self, rate_kb_per_s: float | None) -> None:
        """Set the rate of both directions; None means unlimited."""
        self._up.rate_kb_per_s = self._down.rate_kb_per_s = rate_kb_per_s

    def set_delay(self, delay_ms: float) -> None:
        """Set the delay of each direction for packets sent from now on."""
        self._delay_s = delay_ms / 1000

    def cut_after(self, n_bytes: int) -> None:
        """Reset, once, the connection whose upload passes ``n_bytes`` counted from now.

        Both sides see a reset; the bytes before the cut are delivered.
        """
        self._cut_after = n_bytes

    def stall(self, on: bool) -> None:
        """Hold back all bytes, or release them again; connections stay open."""
        if on:
            self._released.clear()
        else:
            self._released.set()

    def refuse(self, on: bool) -> None:
        """Reset all connections, existing and new, or accept them again."""
        self._refusing = on
        if on:
            self._reset_all()

    def _reset_all(self) -> list[asyncio.Task[None]]:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        return tasks

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._connections[task] = [writer]
        with suppress(asyncio.CancelledError):  # only this class cancels it, to reset it
            await self._relay(reader, writers)
        for one in writers:
            _reset(one)
        del self._connections[task]

    async def _relay(
        self, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]
    ) -> None:
        """Relay one connection until both directions end or one fails."""
        if self._refusing:
            return
        try:
            target_reader, target_writer = await asyncio.open_connection(
                *self._target, limit=_PACKET_BYTES
            )
            writers.append(target_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, target_writer, self._up))
                group.create_task(self._forward(target_reader, writers[0], self._down))
        except* OSError:
            pass  # one side is gone or was cut; the caller resets the other

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pacer: _Pacer
    ) -> None:
        """Forward one direction: packets leave at the rate and arrive after the delay."""
        loop = asyncio.get_running_loop()
        in_flight: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PACKETS_IN_FLIGHT)
        async with asyncio.TaskGroup() as group:
            delivery = group.create_task(self._deliver(in_flight, writer))
            cut = False
            while not cut and (packet := await reader.read(pacer.packet_bytes)):
                if pacer is self._up:
                    packet, cut = self._before_cut(packet)
                await pacer.send(len(packet))
                await in_flight.put((loop.time() + self._delay_s, packet))
            await in_flight.join()
            delivery.cancel()
            if cut:
                raise ConnectionResetError("cut deliberately")
            writer.write_eof()

    async def _deliver(
        self, in_flight: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, packet = await in_flight.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._released.wait()
            writer.write(packet)
            await writer.drain()
            in_flight.task_done()

    def _before_cut(self, packet: bytes) -> tuple[bytes, bool]:
        """Return the part of an upload before the cut, and whether the cut is reached."""
        if self._cut_after is None:
            return packet, False
        passed = packet[: self._cut_after]
        self._cut_after -= len(passed)
        if self._cut_after:
            return passed, False
        self._cut_after = None
        return passed, True


class _Pacer:
    """Paces one direction of the link: bytes pass one after another at the rate."""

    def __init__(self, rate_kb_per_s: float | None) -> None:
        self.rate_kb_per_s = rate_kb_per_s
        self._free_at = 0.0

    @property
    def packet_bytes(self) -> int:
        """Packet size at this rate."""
        if self.rate_kb_per_s is None:
            return _PACKET_BYTES
        return max(1, min(_PACKET_BYTES, round(_PACKET_MS * self.rate_kb_per_s)))

    async def send(self, n_bytes: int) -> None:
        """Wait until this many bytes have passed."""
        if self.rate_kb_per_s is None:
            return
        now = asyncio.get_running_loop().time()
        start = self._free_at if now - self._free_at < _JITTER_S else now
        self._free_at = start + n_bytes / 1000 / self.rate_kb_per_s
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Abort a connection, with a reset if data is still in flight."""
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
    parser.add_argument(
        "--rate", type=float, metavar="KB_PER_S", help="rate limit; default: unlimited"
    )
    parser.add_argument(
        "--delay", type=float, default=0.0, metavar="MS", help="delay in each direction"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on; 0 selects a free one"
    )
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.target, options.rate, options.delay, options.port))


if __name__ == "__main__":
    _main()
