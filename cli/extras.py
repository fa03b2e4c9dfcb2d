"""Which extra of the distribution brings a package, read from the distribution's own metadata."""

from __future__ import annotations

import re

#: Extras whose absence is no fault: they combine others, or serve developers alone.
UNCHECKED = ("all", "bench", "dev")

#: Distributions of modules that bear another name, or that come with what an extra requires.
_DISTRIBUTIONS = {
    "aiosqlite": "langgraph-checkpoint-sqlite",
    "google": "onnx",
    "grpc": "grpcio",
    "huggingface-hub": "transformers",
    "jsonschema": "mcp",
    "langchain-core": "langchain",
    "lingua": "lingua-language-detector",
    "mcp-types": "mcp",
    "opentelemetry": "opentelemetry-sdk",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "starlette": "fastapi",
    "tokenizers": "transformers",
}
#: A requirement with its extra and no other condition: ``langgraph>=1.2; extra == "agent"``.
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)[^;]*; extra == [\"'](?P<extra>[\w-]+)[\"']")
_SELF = "edgewright"


def extras() -> dict[str, tuple[str, ...]]:
    """Return the distributions that each extra requires, by extra.

    Those required on one platform only are left out, and so are the extras inside an extra.
    """
    from importlib.metadata import requires

    found: dict[str, tuple[str, ...]] = {}
    for line in requires(_SELF) or ():
        match = _REQUIREMENT.fullmatch(line)
        if match and match["name"] != _SELF:
            extra = match["extra"]
            found[extra] = (*found.get(extra, ()), _normalised(match["name"]))
    return found


def extra_with(module: str) -> str | None:
    """Return the first extra that brings a module; None if no extra does.

    Args:
        module: Import name, or the name of a distribution.
    """
    name = _normalised(module.partition(".")[0])
    distribution = _DISTRIBUTIONS.get(name, name)
    return next((extra for extra, names in extras().items() if distribution in names), None)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
