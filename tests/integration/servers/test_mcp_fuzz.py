"""Mutated messages end no MCP server, and are no errors of the server."""

import asyncio
import json
import random

import httpx
import mcp_types as types
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(480),
    # The client leaves the sockets of its streams to the garbage collector.
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECONDS = 120
TOKENS = (b"", b"null", b"-1", b"1e999", b"{}", b"[[]]", b'"\\ud800"', b"\x00", b"\xff", b'"')
#: JSON-RPC's code of an internal error, which has the status 200.
INTERNAL_ERROR = f'"code":{types.INTERNAL_ERROR}'
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def mutated(rng, text):
    """Return a text with a few bytes removed, repeated, replaced or swapped for other tokens."""
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 6)):
        begin = rng.randrange(len(data) or 1)
        end = begin + rng.randint(0, 12)
        data[begin:end] = rng.choice([*TOKENS, bytes(data[begin:end]) * 2])
    return bytes(data)


def messages():
    """Return messages of both generations of the protocol."""
    modern = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
    image = {"name": "image-classification", "arguments": {"image": "store:0"}}
    calls = [
        ("initialize", INITIALIZE),
        ("server/discover", modern),
        ("tools/list", {}),
        ("tools/list", modern),
        ("tools/call", {"name": "plan", "arguments": {"request": "What is it?"}}),
        ("tools/call", image | modern),
        ("resources/read", {"uri": "edgewright://node"} | modern),
        ("resources/list", modern),
        ("notifications/cancelled", {"requestId": 1}),
    ]
    return [message(method, params) for method, params in calls]


def message(method, params, **more):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **more})


async def test_mutated_messages_are_no_server_errors(served):
    rng = random.Random(20)
    sent = messages()
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
    }
    statuses, internal = {}, []
    async with httpx.AsyncClient(base_url=served, headers=headers, timeout=60) as client:

        async def send(count):
            for _ in range(count):
                body = mutated(rng, rng.choice(sent))
                response = await client.post("/mcp", content=body)
                statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
                if INTERNAL_ERROR in response.text:
                    internal.append((body, response.text))
                if session := response.headers.get("mcp-session-id"):
                    await client.delete("/mcp", headers={"mcp-session-id": session})

        await asyncio.gather(*(send(625) for _ in range(8)))
    assert sum(statuses.values()) == 5000
    assert {status for status in statuses if status >= 500} == set(), statuses
    assert internal == []


async def test_mutated_lines_do_not_end_a_server_on_standard_input(stdio, tmp_path):
    rng = random.Random(21)
    sent = messages()
    with (tmp_path / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            stdio.command,
            *stdio.args,
            env=stdio.env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=10_000_000,
        )
    answers = []

    async def answered(identity):
        async for line in server.stdout:
            answers.append(line.decode())
            if json.loads(line).get("id") == identity:
                return
        pytest.fail(f"it ended: {(tmp_path / 'log').read_text()}")

    async def send(line):
        server.stdin.write(line + b"\n")
        await server.stdin.drain()

    await send(message("initialize", INITIALIZE, id="first").encode())
    await answered("first")
    await send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())
    last = asyncio.create_task(answered("last"))
    for _ in range(500):
        await send(mutated(rng, rng.choice(sent)).replace(b"\n", b""))
    await send(message("tools/list", {}, id="last").encode())
    await asyncio.wait_for(last, SECONDS)
    server.stdin.close()
    await asyncio.wait_for(server.wait(), 60)
    assert len(answers) > 10  # a line that is no JSON has none
    assert not [answer for answer in answers if INTERNAL_ERROR in answer]
    assert "Traceback" not in (tmp_path / "log").read_text()
