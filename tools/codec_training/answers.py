"""What a model says about pictures: the part of its output that a codec must keep.

An answer is a choice among classes. A classifier gives one for each picture, its first label; a
model that writes gives one for each word. Answers are *rows*: those to the first picture, then
those to the second, and so on.
"""

from __future__ import annotations

from typing import Protocol

import torch


class Answers(Protocol):
    """Reads a model's answers off its last block's output.

    Attributes:
        truth: The right class of each row, int64 ``[R]``; None if nobody knows.
    """

    truth: torch.Tensor | None

    def rows(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the rows of some pictures, in their order.

        Args:
            pictures: Indices of the pictures, int64 ``[B]``.

        Returns:
            int64 ``[R]``.
        """
        ...

    def scores(self, output: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
        """Return the logits of each answer.

        Args:
            output: The last block's output on these pictures, float32 ``[B, ...]``.
            pictures: Their indices, int64 ``[B]``.

        Returns:
            float32 ``[R, classes]``, as many rows as ``rows`` returns.
        """
        ...


class FirstLabel:
    """One answer a picture; the output are its logits.

    Args:
        truth: The label of each picture, int64 ``[N]``; None without.
    """

    def __init__(self, truth: torch.Tensor | None = None) -> None:
        self.truth = truth

    def rows(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the rows of some pictures: one each; see ``Answers``."""
        return pictures

    def scores(self, output: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
        """Return the logits ``[B, classes]``; see ``Answers``."""
        return output
