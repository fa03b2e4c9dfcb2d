"""Mutated result folders of sandboxed programs."""

from __future__ import annotations

import io
import os
import random
import struct
import tempfile
from pathlib import Path

import numpy as np
from mutation import mutated
from pydantic import ValidationError
from safetensors.numpy import save
from target import JSON_TOKENS, Run, refused

from edgewright.tools.errors import EdgewrightError
from edgewright.tools.federated.app.files import finished_rounds, newest_states
from edgewright.tools.federated.records.trial import CurvePoint, LinkSpeed, ModelScore, RoundRecord
from edgewright.tools.federated.records.validated import (
    read_logits,
    read_progress,
    read_record,
    read_weights,
)
from edgewright.tools.federated.trials.curve import _mean
from edgewright.tools.federated.trials.link_clock import round_seconds
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.programs import read_answer
from edgewright.tools.storage.removal import remove

CLIENTS, CLASSES = 3, 4


def _record() -> bytes:
    client = {"samples": 9, "loss": 1.5, "accuracy": 0.5, "bytes_up": 100, "bytes_down": 100}
    clients = [{"client": number, **client} for number in range(CLIENTS)]
    record = {"round_number": 1, "clients": clients, "wall_s": 1.5, "dropped": []}
    return RoundRecord.model_validate(record).model_dump_json().encode()


def open_results() -> Run:
    """Mutated result folders through every reader, and through the sums that are stored."""
    weights = save({"a": np.ones((3, 2), np.float32), "b": np.ones(4, np.float32)})
    logits = io.BytesIO()
    np.save(logits, np.zeros((5, CLASSES), np.float32))
    progress = b'{"event": "client", "round": 1, "client": 0, "loss": 1.0}\n' * 3
    valid = {
        "checkpoints/round-0001/record.json": _record(),
        "checkpoints/round-0001/weights.safetensors": weights,
        "clients/0/round-0001.safetensors": weights,
        "progress.jsonl": progress,
        "logits.npy": logits.getvalue(),
    }
    answers = [b'{"facts": {"parameters": 3}}', b'{"fault": {"code": "raised", "message": "x"}}']
    names = [b"F32", b"F64", b"dtype", b"shape", b"data_offsets", b"__metadata__", b"client"]
    corpus = [*valid.values(), struct.pack("<Q", 2**62) + b"{}"]
    parent = Path(tempfile.mkdtemp(prefix="edgewright-fuzz-", dir=_memory()))

    def run(rng: random.Random) -> bool:
        folder = parent / "out"
        remove(folder)
        for name, content in valid.items():
            changed = rng.random() < 0.4
            data = mutated(rng, [content, *corpus], [*JSON_TOKENS, *names]) if changed else content
            _leave(rng, folder / name, data)
        return _read_results(folder, mutated(rng, answers, JSON_TOKENS))

    return run


def _leave(rng: random.Random, path: Path, data: bytes) -> None:
    """Leave a file, or something else in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = rng.randrange(40)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        path.symlink_to("/dev/zero")
    elif kind > 3:
        path.write_bytes(data)


def _read_results(folder: Path, answer: bytes) -> bool:
    assert finished_rounds(folder / "checkpoints") == [1]
    checkpoint = folder / "checkpoints" / "round-0001"
    states = newest_states(folder / "clients", 1, CLIENTS)
    assert set(states) <= set(range(CLIENTS))
    bad = [refused(lambda path=path: read_weights(path, 100)) for path in states.values()]
    bad.append(refused(lambda: read_weights(checkpoint / "weights.safetensors", 100)))
    bad.append(refused(lambda: read_logits(folder / "logits.npy", (5, CLASSES))))
    position = 0
    for _ in range(3):
        _, position = read_progress(folder / "progress.jsonl", position)
    try:
        Fault.model_validate(read_answer(answer.decode("utf-8", "replace")).get("fault"))
    except ValidationError:
        bad.append(True)
    try:
        record = read_record(checkpoint / "record.json", number=1, clients=CLIENTS)
    except EdgewrightError:
        return False
    point = CurvePoint(
        round_number=1,
        train_loss=_mean([(each.loss, each.samples) for each in record.clients]),
        train_accuracy=_mean([(each.accuracy, each.samples) for each in record.clients]),
        validation=ModelScore(accuracy=0.5, loss=1.0, clients=(0.5,)),
        bytes_up=sum(each.bytes_up for each in record.clients),
        bytes_down=sum(each.bytes_down for each in record.clients),
        simulated_s=round_seconds(
            record.clients, LinkSpeed(), flop_per_sample=1e18, local_epochs=100
        ),
        wall_s=record.wall_s,
        quorum=record.quorum,
        dropped=record.dropped,
        epsilon=record.epsilon,
    )
    assert CurvePoint.model_validate_json(point.model_dump_json()) == point
    return not any(bad)


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
