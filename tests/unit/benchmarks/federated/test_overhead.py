"""The overhead of an engine, measured with clients that reply immediately."""

from edgewright.benchmarks.federated.overhead import CLIENTS, _rounds, client_app, overhead_table
from edgewright.tools.federated.grids.in_process import InProcessGrid


def test_an_engine_is_timed_with_clients_that_reply_immediately():
    grid = InProcessGrid(client_app, CLIENTS, {})
    times = _rounds(grid, 1000)
    assert 0 < times["exchange"] < times["round"]
    slower = {part: 100 * times[part] for part in times}
    markdown = overhead_table({"1 k": {"in-process": times, "ray": slower}})
    assert markdown.count("| 100 |") == 2
