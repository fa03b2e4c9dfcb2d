"""BLIP: the vision tower is what is cut; the text side reads its output on the last node."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from transformers import (
    BertTokenizer,
    BlipForConditionalGeneration,
    BlipForQuestionAnswering,
    BlipImageProcessor,
)

from edgewright.tools.split.adapters.chain import Block, Chain
from edgewright.tools.split.adapters.pretrained import (
    PROCESSOR_FILES,
    TOKENIZER_FILES,
    fitting_of,
    load_network,
    load_part,
)
from edgewright.tools.split.adapters.source import ModelSource

CAPTIONING = "blip-captioning"
QUESTIONS = "blip-vqa"

# Captions and answers are short; a limit keeps a wandering decoder from running on.
_CAPTION_TOKENS = 40
_ANSWER_TOKENS = 15


class _Blip(Chain):
    """What both BLIP models share; the last block's output are the image embeddings."""

    def __init__(self, model: str, cls: Any, source: ModelSource) -> None:
        network = load_network(cls, source)
        tower = network.vision_model
        blocks: dict[str, Block] = {"embeddings": tower.embeddings}
        blocks |= {f"layer{index}": layer for index, layer in enumerate(tower.encoder.layers, 1)}
        blocks["post_layernorm"] = tower.post_layernorm
        processor = load_part(BlipImageProcessor, source, files=PROCESSOR_FILES)
        super().__init__(
            model=model,
            network=network,
            blocks=blocks,
            fitting=fitting_of(processor, network.config.vision_config.image_size, source),
        )
        self._text = network.config.text_config
        self._tokenizer = load_part(BertTokenizer, source, files=TOKENIZER_FILES)

    def _decode(self, states: torch.Tensor, limit: int) -> str:
        """Generate greedily what the text decoder makes of these encoder states."""
        tokens = self.network.text_decoder.generate(
            input_ids=torch.tensor([[self._text.bos_token_id]]),
            eos_token_id=self._text.sep_token_id,
            pad_token_id=self._text.pad_token_id,
            encoder_hidden_states=states,
            encoder_attention_mask=torch.ones(states.shape[:-1], dtype=torch.long),
            max_new_tokens=limit,
            do_sample=False,
        )
        text: str = self._tokenizer.decode(tokens[0], skip_special_tokens=True)
        return text.strip()


class BlipCaptioning(_Blip):
    """A captioning model cut inside its vision tower."""

    def __init__(self, source: ModelSource) -> None:
        super().__init__(CAPTIONING, BlipForConditionalGeneration, source)

    def caption(self, embeddings: torch.Tensor) -> str:
        """Write a caption.

        Args:
            embeddings: float32 ``[1, tokens, width]``, the output of the last block.
        """
        return self._decode(embeddings, _CAPTION_TOKENS)


class BlipQuestions(_Blip):
    """A question-answering model cut inside its vision tower."""

    def __init__(self, source: ModelSource) -> None:
        super().__init__(QUESTIONS, BlipForQuestionAnswering, source)

    def answer(self, embeddings: torch.Tensor, question: str) -> str:
        """Answer a question.

        Args:
            embeddings: float32 ``[1, tokens, width]``, the output of the last block.
            question: The question in the person's own words.
        """
        tokens = self._tokenizer(
            question,
            return_tensors="pt",
            truncation=True,
            max_length=self._text.max_position_embeddings,
        )
        states = self.network.text_encoder(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            encoder_hidden_states=embeddings,
            encoder_attention_mask=torch.ones(embeddings.shape[:-1], dtype=torch.long),
        ).last_hidden_state
        return self._decode(states, _ANSWER_TOKENS)


@cache
def load_captioning(source: ModelSource) -> BlipCaptioning:
    """Load a model once a process; its expert writes captions with the same one.

    Raises:
        UnavailableError: The model cannot be had whole; the message says what is missing.
    """
    return BlipCaptioning(source)


@cache
def load_questions(source: ModelSource) -> BlipQuestions:
    """Load a model once a process; its expert answers with the same one.

    Raises:
        UnavailableError: The model cannot be had whole; the message says what is missing.
    """
    return BlipQuestions(source)
