"""Unit tests have no network, apart from asyncio's self-pipe; they get small real models."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_network() -> None:
    disable_socket(allow_unix_socket=True)


@pytest.fixture
def no_installed_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the models of this machine, so that the experts are the same on every one."""
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path / "no-models"))


@pytest.fixture(scope="session")
def tiny_blip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a small BLIP model (``captioning`` or ``vqa``) with random weights."""
    parent = tmp_path_factory.mktemp("tiny")
    for name in ("captioning", "vqa"):
        _save_blip(parent / name, name)
    return lambda name: parent / name


def _save_blip(folder: Path, kind: str) -> None:
    import torch
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipForQuestionAnswering,
        BlipImageProcessor,
    )

    torch.manual_seed(0)
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] [DEC] a cat dog is there how many red on what ? in"
    vocabulary = {word: index for index, word in enumerate(words.split())}
    tower = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
    }
    config = BlipConfig(
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        text_config={
            **tower,
            "vocab_size": len(vocabulary),
            "encoder_hidden_size": 32,
            "max_position_embeddings": 64,
            "pad_token_id": 0,
            "sep_token_id": 3,
            "eos_token_id": 3,
            "bos_token_id": 5,
        },
        projection_dim=16,
    )
    cls = BlipForConditionalGeneration if kind == "captioning" else BlipForQuestionAnswering
    cls(config).save_pretrained(folder)
    BertTokenizer(vocab=vocabulary, extra_special_tokens=["[DEC]"]).save_pretrained(folder)
    BlipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
