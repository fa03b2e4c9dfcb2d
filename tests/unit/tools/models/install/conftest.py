"""A small catalogue, and clients that serve its packages from a folder."""

import hashlib
import io
import sys
import tarfile
import zipfile

import pytest

from edgewright.tools.models import catalogue as catalogues
from edgewright.tools.models import installed
from edgewright.tools.models.catalogue import CatalogueModel

#: What stands for npm: it copies what the registry has, and says what it was called with.
_NPM = """#!{python}
import pathlib, shutil, sys
shop = pathlib.Path({shop!r})
(shop / "calls").open("a").write(" ".join(sys.argv[1:]) + "\\n")
if (shop / "slow").exists():
    import time
    (shop / "begun").touch()
    time.sleep(60)
folder = next(one.partition("=")[2] for one in sys.argv if one.startswith("--pack-destination="))
if not (shop / "package.tgz").exists():
    sys.exit("npm error 404 Not Found - GET http://me:s3cret@packages.example/small")
shutil.copy(shop / "package.tgz", folder)
"""


class Shop:
    """What the registry has of a package, and what the catalogue says of it."""

    def __init__(self, folder):
        self.folder = folder
        self.pack({"package/model.onnx": b"weights" * 1000, "package/LICENSE": b"free to use"})

    def pack(self, files):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as package:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                package.addfile(member, io.BytesIO(content))
        self.serve(data.getvalue())
        self.content = files["package/model.onnx"]

    def serve(self, data):
        self.data = data
        (self.folder / "package.tgz").write_bytes(data)

    @property
    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def model(self, **changes):
        """The catalogue's entry for what is served at this moment."""
        values = {
            "name": "small", "title": "Small", "serves": "tests", "licence": "MIT",
            "packed_by": "us", "default": True, "keeps_mb": 0.01,
            "sources": [{
                "npm": "@us/small", "version": "1.0.0",
                "archive": {
                    "sha256": hashlib.sha256(self.data).hexdigest(), "bytes": len(self.data)
                },
                "files": {
                    "model.onnx": {
                        "path": "package/model.onnx",
                        "sha256": hashlib.sha256(self.content).hexdigest(),
                    },
                    "LICENCE": {"path": "package/LICENSE"},
                },
            }],
        }  # fmt: skip
        return CatalogueModel.model_validate({**values, **changes})


@pytest.fixture
def shop(tmp_path, monkeypatch):
    folder = tmp_path / "shop"
    programs = tmp_path / "programs"
    for each in (folder, programs):
        each.mkdir()
    npm = programs / "npm"
    npm.write_text(_NPM.format(python=sys.executable, shop=str(folder)))
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "cache"))
    return Shop(folder)


@pytest.fixture
def listed(monkeypatch):
    """Sets the catalogue."""

    def put(*models):
        known = {model.name: model for model in models}
        monkeypatch.setattr(catalogues, "catalogue", lambda: known)
        installed._faults.cache_clear()

    return put


@pytest.fixture
def wheel(tmp_path):
    """Writes a wheel as pip would find it, and returns its bytes."""

    def write(files):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return data.getvalue()

    return write
