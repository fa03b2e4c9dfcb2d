"""A small random pipeline of Stable Diffusion with a ControlNet."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_controlnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a pipeline with random weights, as diffusers saves it."""
    import torch
    from diffusers import (
        AutoencoderKL,
        ControlNetModel,
        DDIMScheduler,
        StableDiffusionControlNetPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    folder = tmp_path_factory.mktemp("controlnet")
    torch.manual_seed(0)
    shape = {
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "in_channels": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
        "norm_num_groups": 4,
    }
    unet = UNet2DConditionModel(
        **shape,
        out_channels=4,
        sample_size=8,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    controlnet = ControlNetModel(**shape, conditioning_embedding_out_channels=(4, 4, 8, 8))
    for parameter in controlnet.parameters():  # its last layers are zero, and would have no effect
        torch.nn.init.normal_(parameter, std=0.1)
    vae = AutoencoderKL(
        block_out_channels=[8, 8, 8, 8],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=4,
        mid_block_add_attention=False,
        norm_num_groups=4,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=16,
            intermediate_size=32,
            num_attention_heads=2,
            num_hidden_layers=2,
            vocab_size=600,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
    pipeline = StableDiffusionControlNetPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=_tokenizer(folder / "words"),
        unet=unet,
        controlnet=controlnet,
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder / "pipeline", safe_serialization=True)
    return folder / "pipeline"


def _tokenizer(folder: Path):
    """Return a tokeniser that knows single letters."""
    import json

    from transformers import CLIPTokenizer

    folder.mkdir()
    letters = [chr(code) for code in range(97, 123)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{each}</w>" for each in letters)]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)
