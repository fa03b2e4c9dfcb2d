"""The guard: replies that are impossible, not finite or far from all others are dropped."""

import math

import numpy as np
import pytest

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.guard import ClientReply, Guard, Update
from edgewright.tools.federated.records.candidate import NoCompression

SIZES = [30, 10, 60]
RNG = np.random.default_rng(0)


def vector() -> np.ndarray:
    return RNG.normal(size=100).astype(np.float32)


GUARD = Guard(compression=NoCompression(), sizes=SIZES, clients=5, samples_max=50)


def reply(**changes: object) -> ClientReply:
    values: dict[str, object] = {
        "client": 1, "samples": 20, "payload": vector().tobytes(), "loss": 0.5, "accuracy": 0.5,
    }  # fmt: skip
    return ClientReply(**(values | changes))  # type: ignore[arg-type]


NAN = np.full(100, np.nan, np.float32).tobytes()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"error": "boom"}, "failed: boom"),
        ({"client": 9}, "does not exist"),
        ({"client": -1}, "does not exist"),
        ({"client": "1"}, "does not exist"),
        ({"client": None}, "does not exist"),
        ({"client": True}, "does not exist"),
        ({"samples": 10**9}, "impossible"),
        ({"samples": 0}, "impossible"),
        ({"samples": -5}, "impossible"),
        ({"samples": 1.5}, "impossible"),
        ({"samples": math.nan}, "impossible"),
        ({"samples": [5]}, "impossible"),
        ({"payload": None}, "missing"),
        ({"payload": b""}, "wrong length"),
        ({"payload": b"x" * 396}, "wrong length"),
        ({"payload": NAN}, "not finite"),
        ({"payload": np.full(100, np.inf, np.float32).tobytes()}, "not finite"),
    ],
)
def test_the_guard_rejects_bad_replies(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        GUARD.read(reply(**changes))


def test_the_guard_admits_honest_replies_whatever_they_report() -> None:
    update = GUARD.read(reply(loss="lies", samples=20.0))
    assert math.isnan(update.loss)
    assert (update.client, update.samples, update.bytes_up) == (1, 20, 400)


def updates(norms: list[float]) -> list[Update]:
    all_updates = []
    for client, norm in enumerate(norms):
        flat = np.zeros(100, np.float32)
        flat[0] = norm
        all_updates.append(GUARD.read(reply(client=client, payload=flat.tobytes())))
    return all_updates


def test_the_guard_bounds_norms_relative_to_the_median() -> None:
    admitted, dropped = GUARD.compare(updates([1, 1.5, 2, 1e6]), model_norm=10)
    assert [update.client for update in admitted] == [0, 1, 2]
    assert [(update.client, "exceeds" in reason) for update, reason in dropped] == [(3, True)]


def test_the_guard_bounds_norms_of_few_replies_relative_to_the_model() -> None:
    admitted, dropped = GUARD.compare(updates([1, 1e6]), model_norm=10)
    assert len(admitted) == len(dropped) == 1


def test_the_guard_orders_clients_and_admits_one_reply_of_each() -> None:
    all_updates = updates([1, 1, 1])
    admitted, dropped = GUARD.compare(
        [all_updates[2], all_updates[0], all_updates[1], all_updates[0]], model_norm=1
    )
    assert [update.client for update in admitted] == [0, 1, 2]
    assert "second reply" in dropped[0][1]


SCAFFOLD_GUARD = Guard(
    compression=NoCompression(), sizes=SIZES, clients=5, samples_max=50, vectors=2
)


def changes_of_state(norms: list[float]) -> list[Update]:
    """Return updates of norm 1 whose clients' states change by these norms."""
    all_updates = []
    for client, norm in enumerate(norms):
        both = np.zeros(200, np.float32)
        both[0], both[100] = 1, norm
        all_updates.append(SCAFFOLD_GUARD.read(reply(client=client, payload=both.tobytes())))
    return all_updates


def test_the_guard_bounds_what_clients_add_to_the_control_variate() -> None:
    updates_of_round = changes_of_state([1, 1.2, 0.8, 1e3])
    assert [len(each.vector) for each in updates_of_round] == [100] * 4
    admitted, dropped = SCAFFOLD_GUARD.compare(updates_of_round, model_norm=10)
    assert [update.client for update in admitted] == [0, 1, 2]
    assert "state change" in dropped[0][1]


def test_a_client_that_takes_part_late_may_change_more_than_the_others_then_do() -> None:
    late = changes_of_state([0.01, 0.02, 0.01, 2.0])
    assert len(SCAFFOLD_GUARD.compare(late, model_norm=10)[0]) == 3
    assert len(SCAFFOLD_GUARD.compare(late, model_norm=10, largest_control=1.0)[0]) == 4


@pytest.mark.parametrize("part", [slice(0, 100), slice(100, 200)])
def test_neither_part_of_an_update_may_be_infinite(part: slice) -> None:
    both = np.zeros(200, np.float32)
    both[part] = np.nan
    with pytest.raises(InputError, match="not finite"):
        SCAFFOLD_GUARD.read(reply(payload=both.tobytes()))
    with pytest.raises(InputError, match="wrong length"):
        SCAFFOLD_GUARD.read(reply())
