"""Data are split, partitioned and described, and unusable requests are refused."""

import errno
from pathlib import Path

import numpy as np
import pytest

from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import InputError, NotFoundError, StorageError
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.trials import prepare as module
from edgewright.tools.federated.trials.prepare import DataRequest, load_card, prepare


def arrays(path: Path, labels: list[int], attribute: list[str] | None = None) -> str:
    images = np.zeros((len(labels), 4, 4), np.uint8)
    extra = {} if attribute is None else {"attribute": np.array(attribute)}
    np.savez(path, images=images, labels=np.array(labels), **extra)
    return str(path)


def test_splits_are_disjoint_and_complete(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    card = prepare(DataRequest(clients=10), run)
    assert (card.train, card.validation, card.test) == (1259, 269, 269)
    assert card.label_skew < 0.05 and card.size_skew < 1.1
    assert sum(client.samples for client in card.clients) == card.train
    assert card == load_card(run)
    assert not list(run.data.glob("*validation*")) and not list(run.data.glob("*test*"))


def test_dirichlet_makes_clients_differ(tmp_path: Path) -> None:
    card = prepare(DataRequest(partition="dirichlet", alpha=0.3), RunFolder(tmp_path))
    assert card.label_skew > 0.3
    assert card.partition == "dirichlet(0.3)"
    assert card.largest_client == max(client.samples for client in card.clients)


def test_clients_have_the_same_distribution_in_all_splits(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    prepare(DataRequest(partition="dirichlet", alpha=0.1, clients=3), run)
    shares = []
    for folder, name in ((run.data, "train"), (run.held, "test")):
        labels = np.load(folder / f"{name}_labels.npy")
        clients = np.load(folder / f"{name}_clients.npy")
        shares.append(np.bincount(labels[clients == 0], minlength=10) / np.bincount(labels))
    assert np.abs(shares[0] - shares[1]).max() < 0.1


def test_samples_are_partitioned_by_attribute(tmp_path: Path) -> None:
    source = arrays(tmp_path / "a.npz", [0, 1] * 20, ["x"] * 20 + ["y"] * 20)
    card = prepare(
        DataRequest(source=source, partition="attribute", clients=0), RunFolder(tmp_path / "run")
    )
    assert [client.attribute for client in card.clients] == ["x", "y"]


def test_noise_and_sampling(tmp_path: Path) -> None:
    clean, noisy = RunFolder(tmp_path / "clean"), RunFolder(tmp_path / "noisy")
    prepare(DataRequest(samples=500), clean)
    prepare(DataRequest(samples=500, label_noise=0.4), noisy)
    one, other = (np.load(run.data / "train_labels.npy") for run in (clean, noisy))
    assert len(one) == len(other) < 500
    assert 0.35 < (one != other).mean() < 0.45
    held = [np.load(run.held / "test_labels.npy") for run in (clean, noisy)]
    assert np.array_equal(*held)


def _samples(own: bool) -> Samples:
    """Return 200 samples, of which 80 are the data set's own test split, if it has one."""
    return Samples(
        name="s", images=np.zeros((200, 8, 8, 1), np.uint8), labels=np.arange(200) % 2,
        classes=("a", "b"), original_side=8, test=np.arange(200) >= 120 if own else None,
    )  # fmt: skip


@pytest.mark.parametrize(("own", "test"), [(True, 80), (False, 8)])
def test_a_data_sets_own_test_split_can_be_used_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool, test: int
) -> None:
    monkeypatch.setattr(module, "load_source", lambda source: _samples(own))
    card = prepare(DataRequest(clients=2, samples=50, whole_test=True), RunFolder(tmp_path))
    assert card.test == test
    assert card.train + card.validation == (50 if own else 42)


@pytest.mark.parametrize(("own", "validation"), [(True, 60), (False, 30)])
def test_the_validation_share_applies_to_data_sets_with_their_own_test_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool, validation: int
) -> None:
    monkeypatch.setattr(module, "load_source", lambda source: _samples(own))
    card = prepare(DataRequest(clients=2, validation=0.5), RunFolder(tmp_path))
    assert card.validation == validation


@pytest.mark.parametrize(
    ("labels", "request_", "code"),
    [
        ([0] * 30, {}, "one_class"),
        ([0, 1] * 3, {}, "too_few_samples"),
        ([0] * 30 + [1], {}, "too_few_samples"),
        ([0], {}, "too_few_samples"),
        ([0, 1] * 15, {"clients": 0}, "no_clients"),
        ([0, 1] * 15, {"clients": 50}, "too_many_clients"),
        ([0, 1] * 15, {"clients": 8, "partition": "dirichlet", "alpha": 0.001}, "empty_client"),
        ([0, 1] * 15, {"partition": "attribute"}, "no_attribute"),
    ],
)
def test_unusable_data_and_requests_are_refused(
    tmp_path: Path, labels: list[int], request_: dict[str, object], code: str
) -> None:
    source = arrays(tmp_path / "a.npz", labels)
    fields = {"clients": 3, **request_, "source": source}
    with pytest.raises(InputError) as caught:
        prepare(DataRequest.model_validate(fields), RunFolder(tmp_path / "run"))
    assert caught.value.info().code == code


def test_a_wrong_number_of_clients_or_a_single_sample_is_refused(tmp_path: Path) -> None:
    source = arrays(tmp_path / "a.npz", [0, 1] * 15, ["x"] * 15 + ["y"] * 15)
    for clients, code in ((3, "too_many_clients"), (1, "no_attribute")):
        with pytest.raises(InputError) as caught:
            prepare(
                DataRequest(source=source, partition="attribute", clients=clients),
                RunFolder(tmp_path / "run"),
            )
        assert caught.value.info().code == code
    single_sample = arrays(tmp_path / "b.npz", [0, 1] * 15, ["x"] * 29 + ["y"])
    with pytest.raises(InputError) as refused:
        prepare(
            DataRequest(source=single_sample, partition="attribute", clients=0),
            RunFolder(tmp_path / "run"),
        )
    assert refused.value.info().code == "empty_client"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_is_not_writable_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(module, "write_split", full)
    with pytest.raises(StorageError):
        prepare(DataRequest(), RunFolder(tmp_path))


def test_a_run_without_data_raises(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_card(RunFolder(tmp_path))


def test_all_samples_of_a_person_are_at_one_client(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    persons = np.array([f"p{number}" for number in range(40)] * 5)
    np.savez(
        tmp_path / "scans.npz",
        images=rng.integers(0, 255, (200, 8, 8), dtype=np.uint8),
        labels=np.arange(200) % 2,
        persons=persons,
    )
    run = RunFolder(tmp_path / "run")
    card = prepare(DataRequest(source=str(tmp_path / "scans.npz"), clients=4), run)
    own = np.load(run.data / "train_persons.npy")
    clients = np.load(run.data / "train_clients.npy")
    assert card.persons == len(set(own.tolist()))
    assert len({*zip(own.tolist(), clients.tolist(), strict=True)}) == card.persons
