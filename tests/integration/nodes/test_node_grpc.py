"""The Open Inference Protocol over gRPC, on real nodes: results, keys, TLS and the end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest

from edgewright.edge_runtime.grpc_api.messages import SERVICE
from edgewright.edge_runtime.keys import new_key
from edgewright.tools.nodes.launch import launch_node
from grpc_calls import LIMITS, MODEL, SETTINGS, SHAPE, bearer, call, inference, refused

pytestmark = pytest.mark.timeout(120)

#: An extension of Triton's that would change what a response holds.
CLASSES = {"name": "output", "parameters": {"classification": {"int64_param": 3}}}


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
