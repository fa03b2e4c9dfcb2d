"""Which sensors a request names."""

import pytest

from edgewright.agents.planner.embedded.grammar.sensors import sensor_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use the WiFi and the speaker", "microphone wifi"),
        ("via the microphone beside the bed", "microphone"),
        ("ask the router, not the loudspeaker", "wifi"),
        ("No microphones, please; the wi-fi will do", "wifi"),
        ("The network is down, so let the mic listen", "microphone"),
        ("by the traffic rather than by the speaker", "wifi"),
        ("not only the WiFi but the speaker too", "microphone wifi"),
        ("use all the sensors, WiFi included", ""),
        ("how does she feel?", ""),
    ],
)
def test_the_sensors_to_use_are_found(text: str, expected: str) -> None:
    assert sensor_words(text).named == frozenset(expected.split())


def test_words_that_go_with_a_sensor_are_hints() -> None:
    found = sensor_words("Combine the WiFi and what you hear")
    assert (found.named, found.hinted) == ({"wifi"}, {"wifi", "microphone"})
