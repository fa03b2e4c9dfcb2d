"""The benchmark of long threads and many images, on a smaller scale."""

import pytest

from edgewright.benchmarks.storage.run import measure_images, measure_thread


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path))


async def test_a_bounded_store_loses_no_image_that_a_turn_names(tmp_path):
    found = await measure_images(tmp_path, 2_000, named=20)
    assert found["lost"] == 0
    assert found["named"] == 20
    assert found["sweeps"] > 10
    # It may pass the limit only by what comes in between two checks.
    assert found["peak_bytes"] <= found["limit_bytes"] * 1.06
    assert found["left_bytes"] <= found["limit_bytes"] * 1.06


async def test_a_thread_is_measured_against_a_new_one(tmp_path):
    found = await measure_thread(tmp_path, 25)
    assert found["turns"] == 25
    assert len(found["times_ms"]) == 25
    assert found["ratio"] == found["last_ms"] / found["first_ms"]
