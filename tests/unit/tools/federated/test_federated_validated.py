"""A sandbox's output is read only if it has exactly the expected form."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.trial import RoundRecord
from edgewright.tools.federated.records.validated import (
    read_file,
    read_logits,
    read_record,
    read_weights,
)


def test_complete_weights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    data = save({"a": np.ones((2, 3), np.float32), "b": np.ones(4, np.float32)})
    path.write_bytes(data)
    assert read_weights(path, 100) == data


def tensors(**fields: object) -> bytes:
    header = json.dumps(
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | fields}
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04\x95pickle",
        struct.pack("<Q", 2**63) + b"x" * 20,
        struct.pack("<Q", 4) + b"{[}]" + bytes(8),
        struct.pack("<Q", 2) + b"[]" + bytes(8),
        tensors(dtype="F64"),
        tensors(shape=[3]),
        tensors(shape=[-2]),
        tensors(shape="ab"),
        tensors(data_offsets=[4, 12]),
        tensors(data_offsets=[0]),
        tensors() + b"tail",
        save({"a": np.ones(4, np.float64)}),
    ],
)
def test_incomplete_weights_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_weights(path, 100)
    assert caught.value.info().code == "bad_result"


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_cleanly(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(data)
    for read in (lambda: read_weights(path, 10), lambda: read_record(path)):
        with pytest.raises(InputError):
            read()


def test_only_regular_files_within_limits(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "fifo")
    assert read_file(tmp_path / "real", 5) == b"12345"
    for name, limit in (("real", 4), ("link", 9), ("fifo", 9), (".", 9), ("missing", 9)):
        with pytest.raises(InputError):
            read_file(tmp_path / name, limit)


def test_records_are_validated(tmp_path: Path) -> None:
    record = RoundRecord(round_number=1, clients=(), wall_s=1.0)
    path = tmp_path / "record.json"
    path.write_text(record.model_dump_json())
    assert read_record(path) == record
    for forged in (
        '{"round_number": 1, "clients": [], "wall_s": NaN}',
        '{"round_number": 1, "clients": [], "wall_s": 1e999}',
        '{"round_number": 0, "clients": [], "wall_s": 1}',
        '{"round_number": 1, "clients": [{"client": 0, "samples": 1, "loss": 0, "accuracy": 1, '
        '"bytes_up": -5, "bytes_down": 1}], "wall_s": 1}',
        "[" * 100_000,
    ):
        path.write_text(forged)
        with pytest.raises(InputError):
            read_record(path)


def test_logits_are_validated(tmp_path: Path) -> None:
    path = tmp_path / "logits.npy"
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(path, values)
    assert np.array_equal(read_logits(path, (4, 3)), values)
    for other in (values.astype(np.float64), values[:3], values.T, np.array([{}], dtype=object)):
        np.save(path, other, allow_pickle=True)
        with pytest.raises(InputError):
            read_logits(path, (4, 3))
