"""Profiles of nodes that are slower than this machine."""

from __future__ import annotations

from edgewright.tools.contracts.profiles import ModelProfile


def slowed(profile: ModelProfile, factor: float) -> ModelProfile:
    """Return a profile with all times multiplied by a factor."""
    values = profile.model_dump()
    values["slowdown"] *= factor
    for entry in values["decoding"]:
        entry["ms_per_megapixel"] *= factor
        entry["ms_per_megabyte"] *= factor
    for name in ("preprocess_ms", "normalise_ms", "postprocess_ms"):
        values[name] *= factor
    for entry in values["blocks"]:
        entry["ms"] *= factor
    for one in (values, *values["precisions"]):
        for name in ("heads_ms", "tails_ms"):
            one[name] = [factor * ms for ms in one[name]]
    for entry in (*values["points"], *values["image_codecs"]):
        entry["encode_ms"] *= factor
        entry["decode_ms"] *= factor
    return ModelProfile.model_validate(values)
