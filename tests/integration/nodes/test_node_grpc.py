"""The Open Inference Protocol over gRPC, on real nodes: results, keys, TLS and limits."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest

from edgewright.edge_runtime.grpc_api.messages import SERVICE, message_classes
from edgewright.edge_runtime.keys import new_key
from edgewright.tools.nodes.launch import launch_node

pytestmark = pytest.mark.timeout(120)

MODEL = "efficientnet-lite0"
SHAPE = [1, 3, 224, 224]
#: An extension of Triton's that would change what a response holds.
CLASSES = {"name": "output", "parameters": {"classification": {"int64_param": 3}}}
#: A tensor of the model has 602 kB, and some 3 MB as JSON.
LIMITS = {"body_bytes": 4_000_000, "concurrency": 2, "upload_s": 5.0, "head_s": 2.0}
SETTINGS = {"name": "edge", "role": "edge", "port": 0, "grpc_port": 0, "measure": "never"}


@pytest.fixture(scope="module")
def keys():
    return {name: new_key() for name in ("infer", "admin")}


@pytest.fixture(scope="module")
def node():
    with launch_node({**SETTINGS, "limits": LIMITS}) as node:
        yield node


@pytest.fixture(scope="module")
def guarded(keys):
    listed = [
        {"name": name, "sha256": sha256, "scopes": [name]} for name, (_, sha256) in keys.items()
    ]
    with launch_node({**SETTINGS, "preload": [], "keys": listed}) as node:
        yield node


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


async def call(node, method, *, metadata=None, timeout=30, channel=None, **fields):
    """Call a method; return its response, or the error's status, code and message."""
    classes = message_classes()
    async with channel or grpc.aio.insecure_channel(node.grpc) as open_channel:
        stub = open_channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=classes[f"{method}Response"].FromString,
        )
        request = classes[f"{method}Request"](**fields)
        return await stub(request, metadata=metadata, timeout=timeout)


async def refused(node, method, **more):
    """Return the status and the error's code of a call that is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(node, method, **more)
    trailers = dict(list(raised.value.trailing_metadata() or ()))
    return raised.value.code().name, trailers.get("edgewright-code")


def bearer(key):
    return (("authorization", f"Bearer {key}"),)


def inference(values, **more):
    tensor = {"name": "input", "datatype": "FP32", "shape": list(values.shape)}
    raw = [values.astype("<f4").tobytes()]
    return {"model_name": MODEL, "inputs": [tensor], "raw_input_contents": raw, **more}


async def test_the_server_and_a_model_describe_themselves_as_over_http(node):
    assert (await call(node, "ServerLive")).live
    assert (await call(node, "ServerReady")).ready
    assert (await call(node, "ModelReady", name=MODEL)).ready
    async with httpx.AsyncClient(base_url=node.url) as http:
        server = (await http.get("/v2")).json()
        model = (await http.get(f"/v2/models/{MODEL}")).json()
    described = await call(node, "ServerMetadata")
    assert (described.name, described.version) == (server["name"], server["version"])
    assert list(described.extensions) == server["extensions"]
    described = await call(node, "ModelMetadata", name=MODEL, version=model["versions"][0])
    assert list(described.versions) == model["versions"]
    for tensors in ("inputs", "outputs"):
        given = getattr(described, tensors)
        seen = [
            {"name": one.name, "datatype": one.datatype, "shape": list(one.shape)} for one in given
        ]
        assert seen == model[tensors]


async def test_outputs_are_those_of_http_raw_and_typed(node, values, encoded):
    async with httpx.AsyncClient(base_url=node.url, timeout=30) as http:
        given = {"name": "input", "datatype": "FP32", "shape": SHAPE, "data": values.tolist()}
        reply = (await http.post(f"/v2/models/{MODEL}/infer", json={"inputs": [given]})).json()
    expected = np.float32(reply["outputs"][0]["data"]).reshape(1, 1000)

    raw = await call(node, "ModelInfer", **inference(values, id="7"))
    assert (raw.model_name, raw.model_version, raw.id) == (MODEL, reply["model_version"], "7")
    output = np.frombuffer(raw.raw_output_contents[0], "<f4").reshape(raw.outputs[0].shape)
    np.testing.assert_allclose(output, expected, atol=1e-5)

    typed = inference(values, raw_input_contents=[])
    typed["inputs"][0]["contents"] = {"fp32_contents": values.ravel().tolist()}
    typed = await call(node, "ModelInfer", **typed)
    np.testing.assert_array_equal(np.float32(typed.outputs[0].contents.fp32_contents), output[0])

    image = {"name": "image", "datatype": "BYTES", "shape": [1]}
    image["contents"] = {"bytes_contents": [encoded()]}
    cat = await call(node, "ModelInfer", model_name=MODEL, inputs=[image])
    assert 280 < np.argmax(cat.outputs[0].contents.fp32_contents) < 290  # one of the cats


@pytest.mark.parametrize(
    ("method", "fields", "status", "code"),
    [
        ("ModelReady", {"name": "none"}, "NOT_FOUND", "unknown_model"),
        ("ModelMetadata", {"name": "none"}, "NOT_FOUND", "unknown_model"),
        ("ModelMetadata", {"name": MODEL, "version": "9"}, "NOT_FOUND", "unknown_version"),
        ("ModelInfer", {"model_name": "none"}, "NOT_FOUND", "unknown_model"),
        ("ModelInfer", {"model_version": "9"}, "NOT_FOUND", "unknown_version"),
        ("ModelInfer", {"inputs": []}, "INVALID_ARGUMENT", "invalid_body"),
        ("ModelInfer", {"raw_input_contents": [b"abc"]}, "INVALID_ARGUMENT", "invalid_body"),
        ("ModelInfer", {"outputs": [{"name": "labels"}]}, "INVALID_ARGUMENT", "invalid_body"),
        ("ModelInfer", {"outputs": [CLASSES]}, "INVALID_ARGUMENT", "invalid_body"),
        (
            "ModelInfer",
            {"parameters": {"timeout": {"int64_param": 1}}},
            "DEADLINE_EXCEEDED",
            "deadline_exceeded",
        ),
    ],
)
async def test_what_is_refused_has_a_status_and_a_code(node, values, method, fields, status, code):
    if method == "ModelInfer":
        fields = inference(values, **fields)
    assert await refused(node, method, **fields) == (status, code)


async def test_a_message_that_is_none_is_refused(node):
    async with grpc.aio.insecure_channel(node.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(f"/{SERVICE}/ModelInfer")(b"\xff\xff", timeout=20)
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.stream_unary(f"/{SERVICE}/ModelInfer")(iter([]), timeout=20)
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(f"/{SERVICE}/RepositoryIndex")(b"", timeout=20)
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_request_keeps_its_id(node):
    async with grpc.aio.insecure_channel(node.grpc) as channel:
        given = (("edgewright-request-id", "seven"),)
        running = channel.unary_unary(f"/{SERVICE}/ServerMetadata")(b"", metadata=given, timeout=20)
        await running
        assert dict(list(await running.trailing_metadata()))["edgewright-request-id"] == "seven"


async def test_keys_and_scopes_are_those_of_http(guarded, keys):
    assert (await call(guarded, "ServerLive")).live
    assert (await call(guarded, "ServerReady")).ready
    for method in ("ServerMetadata", "ModelReady", "ModelMetadata", "ModelInfer"):
        assert await refused(guarded, method) == ("UNAUTHENTICATED", "key_missing")
        wrong = {"metadata": bearer("wrong")}
        assert await refused(guarded, method, **wrong) == ("UNAUTHENTICATED", "key_unknown")
        admin = {"metadata": bearer(keys["admin"][0])}
        assert await refused(guarded, method, **admin) == ("PERMISSION_DENIED", "scope_missing")
    infer = bearer(keys["infer"][0])
    assert (await call(guarded, "ServerMetadata", metadata=infer)).name == "edgewright"


async def test_a_caller_without_a_key_cannot_send_a_body(guarded):
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield bytes(1_000_000)

    async with grpc.aio.insecure_channel(guarded.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.stream_unary(f"/{SERVICE}/ModelInfer")(endless(), timeout=20)
    # A client that is still sending when the call ends may miss the status.
    assert raised.value.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INTERNAL)
    assert sent < 100


async def test_tls(certificate):
    public, private = certificate
    tls = {"certificate": str(public), "private_key": str(private)}
    async with launch_node({**SETTINGS, "preload": [], "tls": tls}) as node:
        trusted = grpc.ssl_channel_credentials(public.read_bytes())
        channel = grpc.aio.secure_channel(node.grpc, trusted)
        assert (await call(node, "ServerLive", channel=channel)).live
        assert (await refused(node, "ServerLive", timeout=5))[0] == "UNAVAILABLE"


async def test_a_message_that_is_too_long_is_refused(node, values):
    long = np.repeat(values, 8, axis=0)
    assert (await refused(node, "ModelInfer", **inference(long)))[0] == "RESOURCE_EXHAUSTED"


async def test_a_compressed_message_is_refused_before_it_is_unpacked(node):
    channel = grpc.aio.insecure_channel(node.grpc, compression=grpc.Compression.Gzip)
    bomb = {"channel": channel, "model_name": "a" * 100_000_000}
    assert (await refused(node, "ModelInfer", **bomb))[0] == "UNIMPLEMENTED"


async def test_slow_uploads_end_and_share_their_places_with_http(node, values):
    async def slow():
        await asyncio.sleep(30)
        yield b""

    async with grpc.aio.insecure_channel(node.grpc) as channel:
        method = channel.stream_unary(f"/{SERVICE}/ModelInfer")
        running = [method(slow(), timeout=30) for _ in range(2)]
        await asyncio.sleep(0.3)
        # At once, so that both meet the same uploads on a machine of any speed.
        async with httpx.AsyncClient(base_url=node.url) as http:
            answer, over_grpc = await asyncio.gather(
                http.get("/v2"), refused(node, "ServerMetadata")
            )
        assert (answer.status_code, answer.json()["code"]) == (429, "overloaded")
        assert over_grpc == ("RESOURCE_EXHAUSTED", "overloaded")
        for one in running:
            assert await one.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            trailers = dict(list(await one.trailing_metadata()))
            assert trailers["edgewright-code"] == "upload_too_slow"
    assert (await call(node, "ModelInfer", **inference(values))).outputs


async def test_a_caller_that_leaves_gives_its_place_back(node):
    async def slow():
        await asyncio.sleep(30)
        yield b""

    for _ in range(6):
        async with grpc.aio.insecure_channel(node.grpc) as channel:
            one = channel.stream_unary(f"/{SERVICE}/ModelInfer")(slow(), timeout=30)
            await asyncio.sleep(0.1)
            one.cancel()
    await asyncio.sleep(0.2)
    assert (await call(node, "ServerMetadata")).name == "edgewright"


def frame(kind, flags, stream, payload=b""):
    length = len(payload).to_bytes(3, "big")
    return length + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def call_without_room(method, authority):
    """Return a call, in HTTP/2's own frames, of a client that has no room for a response."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/{SERVICE}/{method}",
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
    }
    head = b"".join(
        bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )
    window = (4).to_bytes(2, "big") + (0).to_bytes(4, "big")
    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, window)
    return begin + frame(1, 4, 1, head) + frame(0, 1, 1, bytes(5))


async def test_slow_readers_take_their_own_places_until_they_are_closed():
    limits = {"concurrency": 2, "send_s": 2.0, "send_bytes_per_s": 1_000_000}
    async with launch_node({**SETTINGS, "preload": [], "limits": limits}) as node:
        host, _, port = node.grpc.rpartition(":")
        readers = []
        for _ in range(2):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(call_without_room("ServerMetadata", node.grpc))
            readers.append((reader, writer))
        await asyncio.sleep(0.5)
        assert await refused(node, "ServerMetadata") == ("RESOURCE_EXHAUSTED", "overloaded")
        other = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(base_url=node.url, transport=other) as http:
            assert (await http.get("/v2")).status_code == 200
        for reader, writer in readers:
            await asyncio.wait_for(reader.read(), 60)
            writer.close()
        assert (await call(node, "ServerMetadata")).name == "edgewright"


def test_a_silent_connection_is_closed(node):
    host, _, port = node.grpc.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as silent:
        began = time.monotonic()
        while silent.recv(1024):
            pass
        assert time.monotonic() - began < 10 * LIMITS["head_s"]


async def test_connections_beyond_the_limit_are_closed():
    limits = {"connections": 3, "head_s": 20.0}
    async with launch_node({**SETTINGS, "preload": [], "limits": limits}) as node:
        host, _, port = node.grpc.rpartition(":")
        silent = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
        # The server's own first frame goes to those that it keeps.
        first = await asyncio.gather(
            *(asyncio.wait_for(reader.read(1024), 15) for reader, _ in silent),
            return_exceptions=True,
        )
        assert sum(isinstance(one, bytes) and len(one) > 0 for one in first) == 3
        for _, writer in silent:
            writer.close()
        for _ in range(50):
            await asyncio.sleep(0.1)
            with suppress(grpc.aio.AioRpcError):
                assert (await call(node, "ServerLive")).live
                break
        else:
            raise AssertionError("places of closed connections stay taken")


async def test_calls_are_counted_with_those_of_http(node):
    await call(node, "ServerMetadata")
    await refused(node, "ModelReady", name="none")
    async with httpx.AsyncClient(base_url=node.url) as http:
        metrics = (await http.get("/metrics")).text
    route = f'edgewright_requests_total{{route="/{SERVICE}/%s",status="%d"}}'
    assert route % ("ServerMetadata", 200) in metrics
    assert route % ("ModelReady", 404) in metrics


async def test_a_stopping_node_ends_its_calls_and_accepts_no_more(values):
    # Slow enough on any machine that the call still runs when the test checks.
    async with launch_node({**SETTINGS, "slowdown": 80}) as node:
        running = asyncio.create_task(call(node, "ModelInfer", **inference(values)))
        await asyncio.sleep(0.3)
        os.kill(node.pid, signal.SIGTERM)
        await asyncio.sleep(0.2)
        assert not running.done()
        assert not (await call(node, "ServerReady")).ready
        assert await refused(node, "ServerMetadata") == ("UNAVAILABLE", "draining")
        assert (await running).outputs
        for _ in range(100):
            if node.returncode is not None:
                break
            await asyncio.sleep(0.1)
        assert node.returncode == 0


def test_without_a_port_a_node_does_not_load_grpc():
    settings = {**SETTINGS, "preload": []}
    with launch_node(settings) as node:
        assert "cygrpc" in Path(f"/proc/{node.pid}/maps").read_text()
    del settings["grpc_port"]
    with launch_node(settings) as node:
        assert node.grpc == ""
        assert "cygrpc" not in Path(f"/proc/{node.pid}/maps").read_text()


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "edgewright.edge_runtime", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--port", "0", "--grpc-port", str(taken.getsockname()[1]))
    assert (result.returncode, result.stdout) == (1, "")
    assert "port_taken" in result.stderr
    assert "'grpc_port'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("missing", ["grpc", "google.protobuf"])
def test_without_the_extra_the_node_names_it(tmp_path, missing):
    # In place of the package, one that is not there.
    module = tmp_path.joinpath(*missing.split("."))
    module.mkdir(parents=True)
    (module / "__init__.py").write_text(f"raise ModuleNotFoundError(name={missing!r})\n")
    result = run("--port", "0", "--grpc-port", "0", PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("grpc_missing: 'grpc_port' needs the extra 'grpc'")
    assert "pip install 'edgewright[grpc]'" in last
    assert "Traceback" not in result.stderr
