"""The built-in experts that read sensors, or combine what was read from them."""

from __future__ import annotations

from edgewright.tools.sensing.expert import SensingExpert
from edgewright.tools.sensing.moods.fusion import ConfidenceFusion
from edgewright.tools.sensing.moods.usage import UsageMood
from edgewright.tools.sensing.moods.vitals import VitalMood


def builtin_sensing_experts() -> tuple[SensingExpert, ...]:
    """Return the experts, without loading what they were fitted to."""
    return (UsageMood(), VitalMood(), ConfidenceFusion())
