"""Keys, limits, TLS, and the shutdown of a node."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest
import yaml

from edgewright.edge_runtime.keys import new_key
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

pytestmark = pytest.mark.timeout(120)

INVOKE = "/v1/tools/image-classification:invoke"
JPEG = {"Content-Type": "image/jpeg"}
LIMITS = {"body_bytes": 300_000, "concurrency": 2, "upload_s": 1.0}


@pytest.fixture(scope="module")
def keys():
    return {name: new_key() for name in ("all", "infer", "admin")}


@pytest.fixture(scope="module")
def guarded(node_settings, keys):
    scopes = {"all": ["infer", "admin"], "infer": ["infer"], "admin": ["admin"]}
    listed = [
        {"name": name, "sha256": sha256, "scopes": scopes[name]}
        for name, (_, sha256) in keys.items()
    ]
    with launch_node(node_settings("edge", keys=listed, limits=LIMITS)) as node:
        yield node


@pytest.fixture
async def http(guarded):
    async with httpx.AsyncClient(base_url=guarded.url, timeout=20) as client:
        yield client


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_health_needs_no_key(http):
    assert (await http.get("/v2/health/live")).json() == {"live": True}
    assert (await http.get("/v2/health/ready")).json() == {"ready": True}


@pytest.mark.parametrize("path", ["/v1/tools", "/v2/models", "/metrics", "/v1/profile", "/x"])
@pytest.mark.parametrize(
    ("headers", "code"), [({}, "key_missing"), (_bearer("wrong"), "key_unknown")]
)
async def test_no_key_or_a_wrong_one(http, path, headers, code):
    answer = await http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_without_the_scope(http, keys):
    for path, name in {"/metrics": "infer", "/v1/tools": "admin"}.items():
        answer = await http.get(path, headers=_bearer(keys[name][0]))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        allowed = await http.get(path, headers=_bearer(keys["all"][0]))
        assert allowed.status_code == 200


async def test_the_client_presents_its_key(guarded, keys, encoded):
    async with NodeClient(guarded.url, api_key=keys["infer"][0]) as client:
        response = await client.invoke("image-classification", InvokeOptions(), encoded())
    assert response.report.arm == "edge-only (original image)"
    async with NodeClient(guarded.url) as client:
        with pytest.raises(EdgewrightError) as raised:
            await client.tools()
    assert raised.value.info().status == 401


async def test_a_body_too_long_by_its_length(http, keys):
    headers = JPEG | _bearer(keys["infer"][0])
    answer = await http.post(INVOKE, content=bytes(300_001), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_too_long_without_a_length(http, guarded, keys):
    async def endless():
        for _ in range(2000):
            yield bytes(100_000)

    before = psutil.Process(guarded.pid).memory_info().rss
    headers = JPEG | _bearer(keys["infer"][0])
    answer = await http.post(INVOKE, content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert psutil.Process(guarded.pid).memory_info().rss - before < 20_000_000


async def test_slow_uploads_end_and_do_not_take_the_node_over(http, guarded, keys, encoded):
    headers = JPEG | _bearer(keys["infer"][0])

    async def slow():
        yield encoded()[:100]
        await asyncio.sleep(3)

    slow_ones = [
        asyncio.create_task(http.post(INVOKE, content=slow(), headers=headers)) for _ in range(2)
    ]
    await asyncio.sleep(0.3)
    refused = await http.post(INVOKE, content=encoded(), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    # Another key has its share of places.
    admitted = await http.get("/v1/tools", headers=_bearer(keys["all"][0]))
    assert admitted.status_code == 200
    assert (await http.get("/v2/health/ready")).status_code == 200
    for answer in await asyncio.gather(*slow_ones):
        assert (answer.status_code, answer.json()["code"]) == (504, "upload_too_slow")
    assert (await http.post(INVOKE, content=encoded(), headers=headers)).status_code == 200


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
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
        result = _run("--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "port_taken" in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "0.0.0.0"), "keys"),
        (("--config", "missing.yaml"), "cannot read"),
        (("--host", "127.0.0.1", "--port", "99999"), "port"),
    ],
)
def test_a_wrong_configuration(arguments, message):
    result = _run(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_model_that_is_not_installed(tmp_path):
    config = tmp_path / "node.yaml"
    config.write_text("port: 0\npreload: [vit]\n")
    with pytest.raises(EdgewrightError, match="ViT weights not found"), launch_node(config):
        pass


def test_a_new_key_is_printed_with_its_digest():
    lines = _run("hash-key").stdout.splitlines()
    assert len(lines) == 2
    assert len(lines[1].rpartition(" ")[2]) == 64


async def test_a_stopping_node_finishes_running_requests(node_settings, encoded, tmp_path):
    # Slow enough on any machine that the request still runs when the test checks.
    settings = node_settings("device", slowdown=80, profile_file=str(tmp_path / "none.json"))
    async with launch_node(settings) as node, NodeClient(node.url) as client:
        call = asyncio.create_task(
            client.invoke("image-classification", InvokeOptions(), encoded("coffee"))
        )
        await asyncio.sleep(0.3)
        os.kill(node.pid, signal.SIGTERM)
        await asyncio.sleep(0.2)
        assert not call.done()
        assert not await client.ready()
        with pytest.raises(EdgewrightError) as raised:
            await client.tools()
        assert raised.value.info().code == "draining"
        response = await call
        assert response.status == "ok"
        for _ in range(100):
            if node.returncode is not None:
                break
            await asyncio.sleep(0.1)
        assert node.returncode == 0


async def test_nothing_outlives_a_node_that_is_killed(node_settings):
    async with launch_node(node_settings("edge")) as node:
        family = psutil.Process(node.pid).children(recursive=True)
        assert len(family) >= 2
        node.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=5)
    assert alive == []


async def test_a_node_does_not_outlive_whoever_started_it(node_settings, tmp_path):
    config = tmp_path / "node.yaml"
    config.write_text(json.dumps(node_settings("edge")))
    code = (
        "import os, pathlib, sys\n"
        "from edgewright.tools.nodes.launch import launch_node\n"
        "node = launch_node(pathlib.Path(sys.argv[1])).__enter__()\n"
        "print(node.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code, str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    try:
        orphan = psutil.Process(int(result.stdout))
    except psutil.NoSuchProcess:
        return
    assert await asyncio.to_thread(orphan.wait, 15) in (0, None)


async def test_tls(node_settings, certificate, encoded, tmp_path):
    public, private = certificate
    tls = {"certificate": str(public), "private_key": str(private)}
    async with launch_node(node_settings("edge", tls=tls)) as node:
        assert node.url.startswith("https://")
        async with NodeClient(node.url, ca=public) as client:
            assert await client.ready()
            response = await client.invoke("image-classification", InvokeOptions(), encoded())
            assert "cat" in response.output["text"]
        async with NodeClient(node.url) as stranger:
            assert not await stranger.ready()
        (tmp_path / "node.yaml").write_text(yaml.safe_dump({"tls": tls}))
        port = node.url.rpartition(":")[2]
        check = _run("check-health", "--config", str(tmp_path / "node.yaml"), "--port", port)
        assert (check.returncode, check.stdout) == (0, "ready\n")
