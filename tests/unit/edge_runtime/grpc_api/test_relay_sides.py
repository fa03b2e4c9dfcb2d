"""What arrives for a connection that was closed meanwhile is dropped, on either event loop."""

import asyncio
import socket

import pytest
import uvloop

from edgewright.edge_runtime.grpc_api.relay import _Side


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_side_whose_other_side_is_closed_drops_what_arrives(loop):
    faults = []

    async def relay():
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        near, far = socket.socketpair(), socket.socketpair()
        one, other = _Side(), _Side()
        for side, (ours, _) in ((one, near), (other, far)):
            await asyncio.get_running_loop().create_unix_connection(lambda s=side: s, sock=ours)
        one.other = other
        near[1].sendall(b"before")
        assert await asyncio.to_thread(far[1].recv, 6) == b"before"
        other.transport.abort()
        await asyncio.sleep(0.02)
        near[1].sendall(b"after")
        one.pause_writing()
        one.resume_writing()
        await asyncio.sleep(0.05)
        one.transport.close()
        for _, theirs in (near, far):
            theirs.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(relay())
    assert faults == []
