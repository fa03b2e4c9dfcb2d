"""The training loop, the feature cache, image sets and the codec's networks."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from edgewright.tools.codec_training.cache import cached_features
from edgewright.tools.codec_training.images import photograph_crops, photographs_in
from edgewright.tools.codec_training.loop import EpochProgress, Schedule, fit
from edgewright.tools.codec_training.project import (
    split_labelled,
    split_photographs,
    train_codec,
)
from edgewright.tools.codec_training.recipe import RECIPES, TransformRecipe, recipe_named
from edgewright.tools.codec_training.train import Student
from edgewright.tools.codecs.learned.manifest import Layout, read_manifest
from edgewright.tools.codecs.learned.torch.networks import make_decoder, make_encoder
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks, weights_of_blocks
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.models.engines.torch import blip
from edgewright.tools.models.source import ModelSource

SCHEDULE = Schedule(epochs=3, batch=4, rate=0.05)


def ignore(progress: EpochProgress) -> None:
    pass


def train_line(checkpoint, report=ignore, schedule=SCHEDULE) -> torch.Tensor:
    """Fit a line; noise in the loss shows whether the random generator resumes where it was."""
    torch.manual_seed(1)
    line = nn.Linear(1, 1)
    inputs = torch.arange(16.0)[:, None] / 16

    def loss_of(indices: torch.Tensor) -> torch.Tensor:
        targets = 3 * inputs[indices] + 0.1 * torch.randn(len(indices), 1)
        return nn.functional.mse_loss(line(inputs[indices]), targets)

    fit(
        "line", line, loss_of, samples=16, schedule=schedule, seed=5,
        checkpoint=checkpoint, report=report,
    )  # fmt: skip
    return torch.cat([line.weight.detach().ravel(), line.bias.detach()])


def test_an_interrupted_training_ends_like_an_uninterrupted_one(tmp_path):
    whole = train_line(tmp_path / "whole.pt")

    def stop_in_the_second_epoch(progress: EpochProgress) -> None:
        if progress.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_line(tmp_path / "broken.pt", stop_in_the_second_epoch)
    steps = []
    resumed = train_line(tmp_path / "broken.pt", lambda progress: steps.append(progress.step))
    assert steps[0] == 5
    assert torch.equal(whole, resumed)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    train_line(tmp_path / "line.pt")
    with pytest.raises(EdgewrightError) as caught:
        train_line(tmp_path / "line.pt", schedule=replace(SCHEDULE, rate=0.1))
    assert caught.value.info().code == "checkpoint_mismatch"


def test_features_are_computed_once(adapter, tmp_path, noise):
    image_set = noise(5)
    first = cached_features(adapter, image_set, (2, 3), tmp_path, ignore)
    reported: list[EpochProgress] = []
    again = cached_features(adapter, image_set, (2, 3), tmp_path, reported.append)
    assert not reported
    assert np.array_equal(first.features, again.features)
    whole = adapter.forward(adapter.tensor(next(image_set.read())), 0, 5)[0]
    assert torch.allclose(again.outputs[0], whole, atol=1e-5)
    cached_features(adapter, noise(4), (2, 3), tmp_path, reported.append)
    assert reported[-1].steps == 4


def test_tuned_blocks_with_the_models_weights_equal_the_model(adapter):
    weights = weights_of_blocks(adapter, 2, 4)
    assert {name.split(".")[2] for name in weights} == {"1", "2"}
    blocks = TunedBlocks(adapter, 2, 4, weights)
    features = torch.randn(2, *adapter.feature_shape(2), generator=torch.Generator().manual_seed(0))
    expected = adapter.forward(features, 2, 4)
    assert torch.allclose(blocks(features), expected, atol=1e-6)
    with torch.no_grad():
        for weight in blocks.parameters():
            weight.mul_(1.5)
    assert not torch.allclose(blocks(features), expected, atol=1e-2)
    assert torch.equal(adapter.forward(features, 2, 4), expected)
    assert weights_of_blocks(adapter, 2, 2) == {}


def test_the_manifest_records_recipe_source_and_results(trained, recipe):
    manifest = read_manifest(trained)
    assert manifest.source.count == 48
    assert manifest.recipe == json.loads(recipe.model_dump_json())
    assert len(manifest.rates) == 2
    for figures in manifest.rates:
        assert 0 < figures.entropy_bytes <= figures.payload_bytes < figures.entropy_bytes + 2
        assert 0 <= figures.same_answers <= 1
        assert figures.uncut_accuracy is not None


def test_feature_maps_keep_their_shapes_through_the_bottleneck():
    layout = Layout(
        shape=(24, 56, 56), decoded_shape=(80, 14, 14), channels=5, positions=196, width=8,
        decoder_width=8,
    )  # fmt: skip
    latents = make_encoder(layout)(torch.zeros(2, *layout.shape))
    assert latents.shape == (2, 5, 196)
    assert make_decoder(layout)(latents).shape == (2, *layout.decoded_shape)
    # The learned bias per position costs no bits.
    assert make_decoder(layout)[2].map.shape == (8, 14, 14)
    upwards = layout.model_copy(update={"decoded_shape": (24, 56, 56)})
    assert make_decoder(upwards)(latents).shape == (2, 24, 56, 56)
    with pytest.raises(EdgewrightError):
        make_encoder(layout.model_copy(update={"shape": (10,)}))


def test_tokens_are_encoded_as_a_map_of_patches():
    """A patch leads to the same latents at any position, and the class token is ignored."""
    layout = Layout(
        shape=(4097, 6), decoded_shape=(4097, 6), channels=5, width=8, decoder_width=8, positions=1
    )
    torch.manual_seed(0)
    encoder = make_encoder(layout).double()  # so that rounding does not matter
    features = torch.zeros(2, 4097, 6, dtype=torch.float64)
    # An even distance apart, and far enough from the border for every layer's receptive field.
    features[0, 1 + 64 * 30 + 28] = features[1, 1 + 64 * 34 + 36] = 1.0
    here, there = encoder(features)
    assert here.shape == (5, 1)
    assert torch.allclose(here, there, rtol=0, atol=1e-12)
    features[:, 0] = 7.0
    assert torch.equal(encoder(features)[0], here)
    features[0, 1 + 64 * 30 + 28] = 20.0
    assert not torch.allclose(encoder(features)[0], here, atol=1e-4)
    with pytest.raises(EdgewrightError):
        make_encoder(layout.model_copy(update={"shape": (67, 6)}))


def test_an_encoder_too_large_for_a_device_is_refused(adapter, recipe):
    with pytest.raises(EdgewrightError) as caught:
        Student(adapter, recipe.changed(width=200))
    assert caught.value.info().code == "encoder_too_large"


@pytest.mark.parametrize("name", [*RECIPES])
def test_recipes_are_found_by_name(name):
    recipe = recipe_named(name)
    rates = recipe.prices if isinstance(recipe, TransformRecipe) else recipe.lambdas
    assert len(rates) >= 3
    with pytest.raises(EdgewrightError):
        recipe_named("none")


def test_labelled_images_hold_out_some_and_do_not_use_the_test_split():
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    samples = Samples(
        name="small", images=images, labels=np.arange(30) % 3, classes=("a", "b", "c"),
        original_side=8, test=np.arange(30) >= 24,
    )  # fmt: skip
    training, validation = split_labelled(samples, licence="none")
    assert (training.count, validation.count) == (44, 2)
    read = list(training.read())
    assert len(read) == len(training.answers.truth) == 44
    assert np.array_equal(np.asarray(read[0]), np.asarray(read[22])[:, ::-1])
    assert training.answers.truth[0] == training.answers.truth[22]


def test_codecs_for_text_models_are_not_trained_on_labels(tiny_blip, noise, recipe, tmp_path):
    captioner = blip.load_captioning(ModelSource.parse(str(tiny_blip("captioning"))))
    with pytest.raises(EdgewrightError) as caught:
        train_codec(
            captioner, recipe, noise(20), noise(4), features=tmp_path, work=tmp_path, out=tmp_path,
            report=ignore,
        )  # fmt: skip
    assert caught.value.info().code == "answers_missing"


def test_too_few_labelled_images_are_refused():
    samples = Samples(
        name="few", images=np.zeros((5, 8, 8, 1), np.uint8), labels=np.zeros(5, np.int64),
        classes=("a", "b"), original_side=8,
    )  # fmt: skip
    with pytest.raises(EdgewrightError):
        split_labelled(samples, licence="none")


def test_crops_of_photographs_are_the_same_each_time(tmp_path, photograph):
    for number in range(3):
        photograph("coffee").save(tmp_path / f"{number}.png")
    training, validation = split_photographs(photographs_in(tmp_path), name="coffee", licence="CC0")
    assert training.count == 2 * validation.count
    assert training.answers.truth is None
    once, again = (list(validation.read()) for _ in range(2))
    assert len(once) == validation.count
    assert all(a.tobytes() == b.tobytes() for a, b in zip(once, again, strict=True))
    with pytest.raises(EdgewrightError):
        photograph_crops([], name="nothing", licence="none", each=1)
