"""One trace across the front, a device, its model workers and the edge server: real processes.

A collector on loopback takes what they export, as the protocol's own messages.
"""

import base64
import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


class Collector(ThreadingHTTPServer):
    """Keeps the spans that it receives, each with the name of its service."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans = []

    def of_trace(self, trace, wanted, limit_s=30):
        """Return the spans of a trace by name, once all wanted ones are there."""
        until = time.monotonic() + limit_s
        while True:
            found = {
                span.name: (service, span)
                for service, span in list(self.spans)
                if span.trace_id.hex() == trace
            }
            if wanted <= set(found) or time.monotonic() > until:
                assert wanted <= set(found), sorted(found)
                return found
            time.sleep(0.1)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            service = f"{named['service.name']} {named['service.instance.id']}"
            for scope in resource.scope_spans:
                self.server.spans += [(service, span) for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def collector():
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def traced(collector):
    """Have what starts here export its spans, soon."""
    with pytest.MonkeyPatch.context() as patch:
        address = f"http://127.0.0.1:{collector.server_port}"
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        yield


@pytest.fixture(scope="module")
def device(traced):
    common = {"port": 0, "measure": "never"}
    with (
        launch_node({"name": "edge", "role": "edge", **common}) as edge,
        launch_node({"name": "device", "peers": [{"url": edge.url}], **common}) as node,
    ):
        yield node


async def test_an_invocation_is_one_trace_down_to_the_peers_worker(device, collector, encoded):
    async with NodeClient(device.url) as client:
        client._http.headers.update(PARENT)
        point = Arm(kind="co-inference", point=3, codec="quantised8")
        response = await client.invoke(
            "image-classification", InvokeOptions(arm=point, deadline_s=60), encoded()
        )
    assert response.report.arm.startswith("co-inference"), response.report
    server, split = "POST /v1/tools/{card}:invoke", "POST /v1/split/{model}/tail"
    wanted = {server, "worker head", "model head", split, "worker tail", "model tail"}
    spans = collector.of_trace(TRACE, wanted)
    assert spans[server][0] == spans["model head"][0] == "edgewright-node device"
    assert spans[split][0] == spans["model tail"][0] == "edgewright-node edge"

    def parents(name):
        by_id = {span.span_id: span for _, span in spans.values()}
        span, names = spans[name][1], []
        while span.parent_span_id in by_id:
            span = by_id[span.parent_span_id]
            names.append(span.name)
        return names

    *_, client_span, top = parents("model tail")
    assert top == server
    assert parents("model tail")[:2] == ["worker tail", split]
    assert client_span.startswith("POST http://127.0.0.1")
    assert parents("model head") == ["worker head", server]
    values = {one.key for one in spans["model head"][1].attributes}
    assert {"process.pid", "edgewright.model"} - values == {"edgewright.model"}
    assert "edgewright.queue_ms" in {one.key for one in spans["worker head"][1].attributes}


async def test_a_request_to_the_front_is_one_trace(
    device, collector, serve_before, encoded, tmp_path
):
    trace = TRACE[::-1]
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    url = f"data:image/jpeg;base64,{base64.b64encode(encoded()).decode()}"
    picture = {"type": "image_url", "image_url": {"url": url}}
    asked = [{"type": "text", "text": "Which animal is this?"}, picture]
    with serve_before(device.url, tmp_path) as url:
        async with httpx.AsyncClient(timeout=120) as http:
            body = {"model": "edgewright", "messages": [{"role": "user", "content": asked}]}
            answer = await http.post(f"{url}/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200
    wanted = {
        "POST /v1/chat/completions",
        "answer a request",
        "plan",
        "task image-classification",
        "POST /v1/tools/{card}:invoke",
    }
    spans = collector.of_trace(trace, wanted)
    assert spans["plan"][0].startswith("edgewright-serve")
    assert spans["POST /v1/tools/{card}:invoke"][0] == "edgewright-node device"
    everything = b"".join(span.SerializeToString() for _, span in spans.values())
    assert b"animal" not in everything
