"""Measurements that continue where they were interrupted."""

import pytest

from edgewright.benchmarks.common.segments import Segments


async def test_what_was_measured_is_not_measured_again(tmp_path):
    calls = []

    async def measure():
        calls.append(len(calls))
        if len(calls) == 2:
            raise RuntimeError("interrupted")
        return {"ms": [1.5, 2.0]}

    first = Segments(tmp_path / "parts")
    assert await first.measured("a", measure) == {"ms": [1.5, 2.0]}
    with pytest.raises(RuntimeError):
        await first.measured("b", measure)
    again = Segments(tmp_path / "parts")
    assert await again.measured("a", measure) == {"ms": [1.5, 2.0]}
    assert len(calls) == 2
    assert await again.measured("b", measure) == {"ms": [1.5, 2.0]}
    assert len(calls) == 3
