"""``edgewright moods``: its messages. ``tests/integration/nodes`` has it with running nodes."""

import pytest


@pytest.mark.parametrize("words", [("label", "calm"), ("train",), ("forget",)])
def test_a_wrong_url_is_named(edgewright, error_of, words):
    command, *more = words
    card = "mood-from-network-traffic"
    result = edgewright("moods", command, card, *more, "--node", "nowhere", "--json")
    assert result.exit_code == 2
    assert "nowhere" in error_of(result)["message"]
