"""BLIP: the vision tower can be cut; the text decoder runs after it on the last node."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from transformers import (
    BertTokenizer,
    BlipForConditionalGeneration,
    BlipForQuestionAnswering,
    BlipImageProcessor,
)

from edgewright.tools.models.adapter import Features
from edgewright.tools.models.engines.torch.chain import Block, Chain
from edgewright.tools.models.engines.torch.pretrained import (
    PROCESSOR_FILES,
    TOKENIZER_FILES,
    load_network,
    load_part,
    preprocessing_of,
)
from edgewright.tools.models.source import ModelSource

CAPTIONING = "blip-captioning"
QUESTIONS = "blip-vqa"

# Captions and answers are short; the limit stops a decoder that fails to end.
_CAPTION_TOKENS = 40
_ANSWER_TOKENS = 15


class _Blip(Chain):
    """Base of both BLIP models; the last block outputs the image embeddings."""

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
            preprocessing=preprocessing_of(
                processor, network.config.vision_config.image_size, source
            ),
        )
        self._text = network.config.text_config
        self._tokenizer = load_part(BertTokenizer, source, files=TOKENIZER_FILES)

    def tokens(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokenise texts as decoder targets: start token, words, end token and padding.

        Args:
            texts: Captions or answers.

        Returns:
            Tokens, int64 ``[B, length]``, and the mask of non-padding tokens.
        """
        tokens, mask = self._tokens(texts)
        tokens[:, 0] = self._text.bos_token_id
        return tokens, mask

    def scores(self, states: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
        """Return the decoder's logits for the next token at each position.

        Args:
            states: Encoder states, float32 ``[B, positions, width]``.
            written: Decoder tokens so far, int64 ``[B, length]``.

        Returns:
            Logits, float32 ``[B, length, vocabulary]``.
        """
        logits: torch.Tensor = self.network.text_decoder(
            input_ids=written,
            encoder_hidden_states=states,
            encoder_attention_mask=_full_mask(states),
        ).logits
        return logits

    def _tokens(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return padded tokens and their mask, both int64 ``[B, length]``."""
        encoded = self._tokenizer(
            [*texts],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=self._text.max_position_embeddings,
        )
        return encoded["input_ids"], encoded["attention_mask"]

    def _decode(self, states: torch.Tensor, limit: int) -> list[str]:
        """Decode encoder states to texts greedily."""
        tokens = self.network.text_decoder.generate(
            input_ids=torch.full((len(states), 1), self._text.bos_token_id),
            eos_token_id=self._text.sep_token_id,
            pad_token_id=self._text.pad_token_id,
            encoder_hidden_states=states,
            encoder_attention_mask=_full_mask(states),
            max_new_tokens=limit,
            do_sample=False,
        )
        texts: list[str] = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]


class BlipCaptioning(_Blip):
    """A captioning model cut inside its vision tower."""

    def __init__(self, source: ModelSource) -> None:
        super().__init__(CAPTIONING, BlipForConditionalGeneration, source)

    def captions(self, embeddings: Features) -> list[str]:
        """Generate a caption for each image.

        Args:
            embeddings: float32 ``[B, tokens, width]``, the output of the last block.
        """
        with torch.inference_mode():
            return self._decode(torch.from_numpy(embeddings), _CAPTION_TOKENS)


class BlipQuestions(_Blip):
    """A question-answering model cut inside its vision tower."""

    def __init__(self, source: ModelSource) -> None:
        super().__init__(QUESTIONS, BlipForQuestionAnswering, source)

    def answer(self, embeddings: Features, question: str) -> str:
        """Answer a question.

        Args:
            embeddings: float32 ``[1, tokens, width]``, the output of the last block.
            question: Text of the question.
        """
        tokens, _ = self.question_tokens([question])
        with torch.inference_mode():
            states = self.states(torch.from_numpy(embeddings), tokens)
            return self._decode(states, _ANSWER_TOKENS)[0]

    def question_tokens(self, questions: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokenise questions.

        Args:
            questions: The questions.

        Returns:
            Tokens, int64 ``[B, length]``, and the mask of non-padding tokens.
        """
        return self._tokens(questions)

    def states(self, embeddings: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
        """Encode questions with cross-attention to images, as input for the decoder.

        Args:
            embeddings: float32 ``[B, tokens, width]``, the output of the last block.
            questions: Tokens of one question per image, int64 ``[B, length]``, without padding: the
                library's cross-attention ignores its mask, so the decoder would attend to padding.

        Returns:
            Encoder states, float32 ``[B, length, width]``.
        """
        states: torch.Tensor = self.network.text_encoder(
            input_ids=questions,
            attention_mask=torch.ones_like(questions),
            encoder_hidden_states=embeddings,
            encoder_attention_mask=_full_mask(embeddings),
        ).last_hidden_state
        return states


def _full_mask(states: torch.Tensor) -> torch.Tensor:
    """Return a mask for states without padding."""
    return torch.ones(states.shape[:-1], dtype=torch.long)


@cache
def load_captioning(source: ModelSource) -> BlipCaptioning:
    """Load a model once per process; its expert generates captions with the same instance.

    Raises:
        UnavailableError: The model is missing or incomplete; the message says what is missing.
    """
    return BlipCaptioning(source)


@cache
def load_questions(source: ModelSource) -> BlipQuestions:
    """Load a model once per process; its expert answers with the same instance.

    Raises:
        UnavailableError: The model is missing or incomplete; the message says what is missing.
    """
    return BlipQuestions(source)
