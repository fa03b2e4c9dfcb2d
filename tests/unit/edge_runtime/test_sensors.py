"""A node's sensors: who may read what, and through which routes."""

import numpy as np
import pytest

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.keys import Caller, new_key
from edgewright.edge_runtime.sensors import NodeSensors
from edgewright.tools.errors import InputError, NotFoundError, ScopeError
from edgewright.tools.sensing.microphone import Microphone
from edgewright.tools.sensing.registry import GROUP, SensorSpec, make_sensor
from edgewright.tools.sensing.wav import write_wav

ANN, BEN = Caller("ann"), Caller("ben")


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "sound.wav"
    path.write_bytes(write_wav(np.arange(4_800, dtype=np.int16), 48_000))
    return str(path)


def _sensor(source, **more):
    return {"name": "bedroom", "kind": "microphone", "source": source, **more}


def test_a_configuration_names_who_may_read_what(sound):
    config = NodeConfig.model_validate({"sensors": [_sensor(sound, use=["ann"], raw=["ann"])]})
    sensors = NodeSensors(config)
    assert sensors.for_task(["microphone"], ANN).name == "bedroom"
    assert sensors.for_reading("bedroom", ANN).name == "bedroom"
    assert [view.raw for view in sensors.views(ANN)] == [True]
    assert sensors.views(BEN) == []
    for refuse in (
        lambda: sensors.for_task(["microphone"], BEN),
        lambda: sensors.for_reading("bedroom", BEN),
    ):
        with pytest.raises(ScopeError) as raised:
            refuse()
        assert raised.value.info().code == "sensor_forbidden"


def test_by_default_tasks_may_read_and_nobody_may_fetch(sound):
    sensors = NodeSensors(NodeConfig.model_validate({"sensors": [_sensor(sound)]}))
    assert sensors.for_task(["microphone", "wifi"], BEN).kind == "microphone"
    with pytest.raises(ScopeError):
        sensors.for_reading("bedroom", BEN)


def test_an_unknown_sensor_is_named(sound):
    sensors = NodeSensors(NodeConfig.model_validate({"sensors": [_sensor(sound)]}))
    with pytest.raises(NotFoundError) as raised:
        sensors.for_task(["wifi"], ANN)
    assert raised.value.info().code == "sensor_missing"
    with pytest.raises(NotFoundError, match="bedroom"):
        sensors.for_reading("kitchen", ANN)


def test_names_are_unique(sound):
    with pytest.raises(InputError, match="bedroom"):
        NodeSensors(NodeConfig.model_validate({"sensors": [_sensor(sound), _sensor(sound)]}))


def test_a_plug_in_brings_a_kind(monkeypatch):
    class Entry:
        name = "barometer"

        @staticmethod
        def load():
            return lambda name, source: Microphone(source, name)

    monkeypatch.setattr(
        "edgewright.tools.sensing.registry.entries", lambda group: [Entry] * (group == GROUP)
    )
    spec = SensorSpec(name="hall", kind="barometer", source="live")
    assert make_sensor(spec).name == "hall"
    with pytest.raises(InputError, match="barometer, camera, microphone, wifi"):
        make_sensor(SensorSpec(name="hall", kind="sonar", source="live"))


async def test_windows_leave_a_node_only_where_that_is_allowed(make_app, connect, sound):
    http = connect(make_app(sensors=[_sensor(sound)]))
    listed = (await http.get("/v1/sensors")).json()
    assert [(one["name"], one["kind"], one["raw"]) for one in listed] == [
        ("bedroom", "microphone", False)
    ]
    refused = await http.post("/v1/sensors/bedroom/read", json={"seconds": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "sensor_forbidden")

    key, digest = new_key()
    keys = [{"name": "ann", "sha256": digest, "scopes": ["infer"]}]
    http = connect(make_app(sensors=[_sensor(sound, raw=["ann"])], keys=keys))
    headers = {"Authorization": f"Bearer {key}"}
    window = await http.post("/v1/sensors/bedroom/read", json={"seconds": 0.05}, headers=headers)
    assert window.json()["size_bytes"] == 4_800
    assert window.json()["values"]["sample_rate"] == 48_000
    missing = await http.post("/v1/sensors/attic/read", headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_sensor")
    wrong = await http.post("/v1/sensors/bedroom/read", json={"second": 1}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_body")


async def test_the_camera_is_a_sensor_too(make_app, connect, tmp_path, cat):
    (tmp_path / "cat.jpg").write_bytes(cat)
    http = connect(make_app(camera=str(tmp_path)))
    listed = (await http.get("/v1/sensors")).json()
    assert [(one["kind"], one["items"]) for one in listed] == [("camera", ["cat.jpg"])]
    refused = await http.post("/v1/sensors/camera/read", json={"item": "cat.jpg"})
    assert refused.status_code == 403
