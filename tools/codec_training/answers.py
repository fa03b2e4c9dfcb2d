"""A model's answers: the part of its output that a codec must preserve.

An answer is a choice among classes. A classifier gives one answer per image, its top label; a model
that generates text gives one per token. Answers are stored as *rows*: first those for the first
image, then those for the second, and so on.
"""

from __future__ import annotations

from typing import Protocol

import torch


class Answers(Protocol):
    """Computes a model's answers from its last block's output.

    Attributes:
        truth: Correct class of each row, int64 ``[R]``; None if unknown.
    """

    truth: torch.Tensor | None

    def rows(self, indices: torch.Tensor) -> torch.Tensor:
        """Return the rows of the given images, in order.

        Args:
            indices: Indices of the images, int64 ``[B]``.

        Returns:
            int64 ``[R]``.
        """
        ...

    def scores(self, output: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Return the logits of each answer.

        Args:
            output: The last block's output for the images, float32 ``[B, ...]``.
            indices: Indices of the images, int64 ``[B]``.

        Returns:
            float32 ``[R, classes]``, with as many rows as ``rows`` returns.
        """
        ...


class TopLabel:
    """The answers of a classifier: one per image, with the output as its logits.

    Args:
        truth: Label of each image, int64 ``[N]``; None if unknown.
    """

    def __init__(self, truth: torch.Tensor | None = None) -> None:
        self.truth = truth

    def rows(self, indices: torch.Tensor) -> torch.Tensor:
        """Return the rows of the given images, one per image; see ``Answers``."""
        return indices

    def scores(self, output: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Return the logits ``[B, classes]``; see ``Answers``."""
        return output
