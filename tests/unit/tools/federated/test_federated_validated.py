"""A sandbox's output is read only if it has exactly the expected form."""

import json
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.files import newest_states
from edgewright.tools.federated.records.trial import (
    ClientRound,
    CurvePoint,
    LinkSpeed,
    ModelScore,
    RoundRecord,
)
from edgewright.tools.federated.records.validated import (
    read_file,
    read_logits,
    read_progress,
    read_record,
    read_weights,
)
from edgewright.tools.federated.trials.link_clock import round_seconds
from edgewright.tools.federated.trials.scoring import collect_weights
from edgewright.tools.sandbox.limits import SandboxLimits


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
    for read in (
        lambda: read_weights(path, 10),
        lambda: read_record(path, number=1, clients=2),
    ):
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
    assert read_record(path, number=1, clients=2) == record
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
            read_record(path, number=1, clients=2)


def test_logits_are_validated(tmp_path: Path) -> None:
    path = tmp_path / "logits.npy"
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(path, values)
    assert np.array_equal(read_logits(path, (4, 3)), values)
    for other in (values.astype(np.float64), values[:3], values.T, np.array([{}], dtype=object)):
        np.save(path, other, allow_pickle=True)
        with pytest.raises(InputError):
            read_logits(path, (4, 3))


def header(fields: bytes) -> bytes:
    return struct.pack("<Q", len(fields)) + fields + bytes(8)


@pytest.mark.parametrize(
    "fields",
    [
        b'{"a":{"dtype":"F32","shape":[' + b",".join([b"999"] * 245_000) + b"]}}",
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8' + b"0" * 400 + b"]}}",
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0.0,8.0]}}',
        b'{"a":{"dtype":"F32","shape":[true,2],"data_offsets":[0,8]}}',
        b'{"a":{"dtype":"F32","shape":[1e9,1e9],"data_offsets":[0,8]}}',
        b'{"a":' * 5000,
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":{}}}',
    ],
)
def test_headers_that_cost_time_are_refused_at_once(tmp_path: Path, fields: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(header(fields))
    started = time.monotonic()
    with pytest.raises(InputError):
        read_weights(path, 1_000_000)
    assert time.monotonic() - started < 10


CLIENT = {"client": 0, "samples": 1, "loss": 1.0, "accuracy": 1.0, "bytes_up": 1, "bytes_down": 1}


@pytest.mark.parametrize(
    "forged",
    [
        {"round_number": 2},
        {"clients": [CLIENT | {"bytes_up": 10**400}]},
        {"clients": [CLIENT | {"samples": 10**30}]},
        {"clients": [CLIENT | {"loss": 1.7e308}]},
        {"clients": [CLIENT | {"client": 7}]},
        {"clients": [CLIENT, CLIENT]},
        {"clients": [CLIENT] * 50},
        {"dropped": [{"client": 7, "reason": ""}]},
        {"dropped": [{"client": 1, "reason": ""}] * 50},
        {"wall_s": 1.7e308},
        {"epsilon": 1.7e308},
    ],
)
def test_records_outside_the_run_or_beyond_reason_are_refused(
    tmp_path: Path, forged: dict[str, object]
) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"round_number": 1, "clients": [CLIENT], "wall_s": 1.0} | forged))
    with pytest.raises(InputError):
        read_record(path, number=1, clients=2)


def test_sums_of_the_largest_records_can_be_stored_and_read_again() -> None:
    largest = ClientRound(
        client=0, samples=10**15, loss=1e30, accuracy=1e30, bytes_up=10**15, bytes_down=10**15
    )
    slowest = LinkSpeed(uplink_kb_per_s=1e-3, downlink_kb_per_s=1e-3, device_gflop_per_s=1e-3)
    seconds = round_seconds([largest], slowest, flop_per_sample=1e18, local_epochs=1000)
    score = ModelScore(accuracy=0.0, loss=100.0, clients=(0.0,))
    point = CurvePoint(
        round_number=1, train_loss=1e30 * 10**15 * 1000, train_accuracy=0.0, validation=score,
        bytes_up=1000 * 10**15, bytes_down=1000 * 10**15, simulated_s=seconds * 1000,
        wall_s=1e9 * 1000,
    )  # fmt: skip
    assert CurvePoint.model_validate_json(point.model_dump_json()) == point


def test_the_progress_file_never_blocks_and_long_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    assert read_progress(path, 0) == ([], 0)
    good = b'{"event": "client", "round": 1, "client": 0}\n'
    path.write_bytes(good + b'{"event": "client", "round": 1' + b"0" * 400 + b"}\nnonsense\n{")
    lines, position = read_progress(path, 0)
    assert [line.client for line in lines] == [0]
    assert read_progress(path, position) == ([], position)
    path.write_bytes(b"x" * 200_000 + b"\n" + good)
    position, found = 0, 0
    for _ in range(10):
        lines, position = read_progress(path, position)
        found += len(lines)
    assert found == 1
    path.unlink()
    os.mkfifo(path)
    assert read_progress(path, 0) == ([], 0)


def test_only_states_of_the_runs_clients_are_found(tmp_path: Path) -> None:
    for name in ("0", "1", "01", "2", "٣", "1x", "9" * 200):
        (tmp_path / name).mkdir()
        (tmp_path / name / "round-0001.safetensors").touch()
        (tmp_path / name / "round-٠٠٠٢.safetensors").touch()
    (tmp_path / "1" / "round-0002.safetensors").mkdir()
    found = newest_states(tmp_path, 5, 2)
    assert {client: path.name for client, path in found.items()} == {
        0: "round-0001.safetensors", 1: "round-0002.safetensors"
    }  # fmt: skip
    with pytest.raises(InputError):
        read_weights(found[1], 10)


def test_the_hosts_copies_of_a_round_are_limited_together(tmp_path: Path) -> None:
    data = save({"a": np.zeros(1000, np.float32)})
    (tmp_path / "weights.safetensors").write_bytes(data)
    heads = dict.fromkeys(range(10), tmp_path / "weights.safetensors")
    limits = SandboxLimits(disk_bytes=5 * len(data))
    with pytest.raises(InputError, match="a round take"):
        collect_weights(tmp_path, heads, tmp_path / "out", limits)
    assert not (tmp_path / "out").exists()
