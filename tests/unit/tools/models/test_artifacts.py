"""Exports are offered by digest; what is fetched is resumed, verified and only then used."""

import hashlib
import json
from pathlib import Path

import pytest

from edgewright.tools.contracts.views import OfferedModel
from edgewright.tools.errors import LinkError, UnavailableError
from edgewright.tools.models import artifacts
from edgewright.tools.models.artifacts import artifact, fetch, offered
from edgewright.tools.models.exports import FORMAT, export_folder, find_export
from edgewright.tools.models.specification import ModelSpec

MODEL = "vit"
GRAPH, WEIGHTS = b"graph" * 100, bytes(range(256)) * 30


@pytest.fixture
def spec(tmp_path, monkeypatch) -> ModelSpec:
    """Return the specification of a model that is exported on the other machine."""
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "there"))
    monkeypatch.setattr(artifacts, "_PIECE_BYTES", 1000)
    monkeypatch.setattr(artifacts, "_PAUSE_S", 0)
    folder = export_folder(MODEL)
    (folder / "fp32").mkdir(parents=True)
    (folder / "int8").mkdir()
    files = {"fp32/0-1.onnx": GRAPH, "fp32/weights.bin": WEIGHTS, "int8/weights.bin": b""}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    write_manifest(folder, digests)
    return ModelSpec(id=MODEL, title="ViT", loader=None, packages=(), exportable=True)


def write_manifest(folder: Path, files: dict[str, str], **more: object) -> None:
    values = {"format": FORMAT, "model": MODEL, "source": "", "files": files, **more}
    (folder / "manifest.json").write_text(json.dumps(values))


class Node:
    """The other machine; its link fails now and then."""

    url = "http://edge"

    def __init__(self, spec: ModelSpec, cache: Path, monkeypatch) -> None:
        self._spec, self._cache, self._monkeypatch = spec, cache, monkeypatch
        self.fails: set[int] = set()
        self.calls: list[tuple[str, int]] = []

    async def offered_models(self):
        with self._monkeypatch.context() as there:
            there.setenv("EDGEWRIGHT_CACHE", str(self._cache))
            return offered([self._spec])

    async def artifact(self, digest: str, start: int, stop: int) -> tuple[bytes, int]:
        self.calls.append((digest, start))
        if len(self.calls) in self.fails:
            raise LinkError("gone")
        with self._monkeypatch.context() as there:
            there.setenv("EDGEWRIGHT_CACHE", str(self._cache))
            data = artifact([self._spec], digest).read_bytes()
        return data[start:stop], len(data)


@pytest.fixture
def node(spec, tmp_path, monkeypatch) -> Node:
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "here"))
    return Node(spec, tmp_path / "there", monkeypatch)


async def test_a_model_is_fetched_with_all_its_files(node, tmp_path):
    folder = await fetch(MODEL, node)
    assert folder == find_export(MODEL, None) == tmp_path / "here" / "models" / MODEL
    assert (folder / "fp32/0-1.onnx").read_bytes() == GRAPH
    assert (folder / "fp32/weights.bin").read_bytes() == WEIGHTS
    assert (folder / "int8/weights.bin").read_bytes() == b""
    assert [path.name for path in (tmp_path / "here/downloads").iterdir()] == [f".{MODEL}.lock"]


async def test_a_broken_link_costs_one_piece(node):
    node.fails = {4, 6}
    folder = await fetch(MODEL, node)
    assert (folder / "fp32/weights.bin").read_bytes() == WEIGHTS
    assert len(node.calls) == 1 + 1 + 8 + len(node.fails)


async def test_a_later_process_continues(node):
    node.fails = set(range(5, 100))
    with pytest.raises(LinkError):
        await fetch(MODEL, node)
    assert find_export(MODEL, None) is None
    node.fails, before = set(), len(node.calls)
    await fetch(MODEL, node)
    assert node.calls[before][1] == 2000
    assert len(node.calls) - before == 6


async def test_what_differs_from_its_digest_is_not_used(node, tmp_path):
    weights = tmp_path / "there/models" / MODEL / "fp32/weights.bin"
    weights.write_bytes(WEIGHTS[:-1] + b"x")
    with pytest.raises(UnavailableError) as caught:
        await fetch(MODEL, node)
    assert caught.value.info().code == "artifact_damaged"
    assert find_export(MODEL, None) is None
    weights.write_bytes(WEIGHTS)
    assert await fetch(MODEL, node)


@pytest.mark.parametrize("name", ["../x.bin", "/etc/x.bin", "fp32/../../x.bin", "fp32/a.sh"])
async def test_a_manifest_cannot_name_files_elsewhere(node, name):
    text = json.dumps({"format": FORMAT, "model": MODEL, "files": {name: "0" * 64}}).encode()
    digest = hashlib.sha256(text).hexdigest()

    class Hostile:
        url = "http://edge"

        async def offered_models(self):
            return [OfferedModel(model=MODEL, manifest=digest, bytes=1)]

        async def artifact(self, *_):
            return text, len(text)

    with pytest.raises(UnavailableError) as caught:
        await fetch(MODEL, Hostile())
    assert caught.value.info().code == "export_unreadable"
    assert find_export(MODEL, None) is None


async def test_a_model_that_is_not_offered_is_named(node):
    with pytest.raises(UnavailableError, match="does not offer 'other'"):
        await fetch("other", node)
