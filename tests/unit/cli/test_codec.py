"""``edgewright codec``: halves are exported, figures shown, and wrong inputs reported."""

import json
import re
import shutil

import pytest

from edgewright.tools.codec_training.recipe import RECIPES
from edgewright.tools.codecs.learned.manifest import (
    DEVICE_HALF,
    EDGE_HALF,
    CodecManifest,
    Figures,
    Layout,
    Source,
)


@pytest.fixture
def folder(tmp_path):
    layout = Layout(
        shape=(17, 32), decoded_shape=(17, 32), channels=6, positions=1, width=8, decoder_width=8
    )
    manifest = CodecManifest(
        name="learned", model="vit", revision="0" * 16, point=2, decoder_point=2, resume_point=5,
        layout=layout, reach=4, recipe={}, source=Source(name="noise", licence="none", count=7),
        encoder_parameters=10, device_digest="a", edge_digest="b",
        rates=(
            Figures(payload_bytes=11.5, entropy_bytes=11.2, same_answers=0.97),
            Figures(
                payload_bytes=6, entropy_bytes=5, same_answers=0.9, accuracy=0.8, uncut_accuracy=0.9
            ),
        ),
    )  # fmt: skip
    codec = tmp_path / "codec"
    codec.mkdir()
    (codec / "manifest.json").write_text(manifest.model_dump_json())
    for name in (DEVICE_HALF, EDGE_HALF):
        (codec / name).write_bytes(name.encode())
    return codec


def test_inspect_shows_every_rate_point(edgewright, folder):
    shown = edgewright("codec", "inspect", folder)
    assert shown.exit_code == 0
    for text in ("learned-1", "11.5 B", "97.00 %", "learned-2", "80.00 %", "noise"):
        assert text in shown.stdout
    assert json.loads(edgewright("codec", "inspect", folder, "--json").stdout)["reach"] == 4


def test_the_help_names_every_recipe(edgewright):
    shown = edgewright("codec", "train", "--help").stdout
    words = set(re.findall(r"[a-z-]+", shown))
    assert words >= set(RECIPES)


@pytest.mark.parametrize("half", ["device", "edge"])
def test_export_copies_one_half_and_the_manifest(edgewright, folder, tmp_path, half):
    out = tmp_path / "half"
    assert edgewright("codec", "export", folder, "--half", half, "--out", out).exit_code == 0
    assert {path.name for path in out.iterdir()} == {"manifest.json", f"{half}.safetensors"}


def test_a_folder_without_a_codec_is_reported(edgewright, error_of, folder):
    shutil.rmtree(folder)
    result = edgewright("codec", "inspect", folder, "--json")
    assert result.exit_code == 1
    assert error_of(result)["code"] == "codec_unreadable"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["fashion-vit"], "data_missing"),
        (["fashion-vit", "--data", "digits", "--photographs", "."], "data_missing"),
        (["no-such-recipe"], "unknown_recipe"),
        (["photographs", "--photographs", "no-such-folder"], "data_empty"),
        (["fashion-vit", "--data", "digits"], "model_not_configured"),
    ],
)
def test_train_reports_what_is_missing(edgewright, error_of, monkeypatch, arguments, code):
    monkeypatch.delenv("EDGEWRIGHT_VIT", raising=False)
    result = edgewright("codec", "train", *arguments, "--json")
    assert result.exit_code != 0
    assert error_of(result)["code"] == code
