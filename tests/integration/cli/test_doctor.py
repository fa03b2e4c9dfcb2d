"""``edgewright doctor`` checks real nodes and endpoints."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.timeout(180)


class _Models(BaseHTTPRequestHandler):
    """Answers ``/v1/models`` with the server's ``answer``."""

    def do_GET(self):
        status, body = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_doctor_checks_the_node(edgewright, device):
    report = json.loads(edgewright("doctor", "--json", "--node", device.url).stdout)
    found = {check["name"]: check for check in report["checks"]}
    assert "camera-1" in found["device node"]["detail"]
    assert found["peers"]["state"] == "note"
    report = edgewright("doctor", "--json", "--node", "http://127.0.0.1:9")
    assert report.returncode == 1
    found = {check["name"]: check for check in json.loads(report.stdout)["checks"]}
    assert found["device node"]["state"] == "problem"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, b'{"data": [{"id": "some-model"}]}'), "ok"),
        ((200, b'{"data": [{"id": "another"}]}'), "note"),
        ((200, b"<html>"), "note"),
        ((401, b"{}"), "problem"),
    ],
)
def test_doctor_checks_the_chat_model(edgewright, answer, state):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Models) as server:
        server.answer = answer
        threading.Thread(target=server.serve_forever, daemon=True).start()
        variables = {
            "EDGEWRIGHT_CHAT_MODEL": "some-model",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1",
        }
        report = json.loads(edgewright("doctor", "--json", **variables).stdout)
        server.shutdown()
    found = {check["name"]: check for check in report["checks"]}
    assert found["chat model"]["state"] == state
