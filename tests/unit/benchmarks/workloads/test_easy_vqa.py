"""Captions composed from questions and answers, and the words of a text as rows."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from edgewright.benchmarks.workloads import easy_vqa
from edgewright.benchmarks.workloads.easy_vqa import Scene, answered, captions_of
from edgewright.tools.errors import NotFoundError
from edgewright.tools.models.engines.torch import blip
from edgewright.tools.models.source import ModelSource


@pytest.mark.parametrize(
    ("questions", "caption"),
    [
        ([("what color is the triangle?", "teal")], "a teal triangle"),
        ([("what is the blue shape?", "circle")], "a blue circle"),
        ([("is there a circle?", "yes"), ("is no red shape present?", "no")], "a red circle"),
        ([("is there not a circle?", "no"), ("what color is the shape?", "red")], "a red circle"),
        ([("is there a circle?", "no"), ("what color is the shape?", "red")], None),
        ([("is there not a red shape in the image?", "yes")], None),
        ([], None),
    ],
)
def test_captions_state_what_questions_and_answers_do(questions, caption):
    captions = captions_of(questions)
    assert captions[:1] == (() if caption is None else (caption,))
    assert len(captions) in (0, 5)


@pytest.fixture
def scenes(tmp_path):
    """Return two images of noise, with questions in the vocabulary of the small model."""
    random = np.random.default_rng(0)
    scenes = []
    for number, questions in enumerate(
        [
            (("is there a cat ?", "a red cat"), ("how many ?", "a")),
            (("is a dog on a cat ?", "dog"),),
        ]
    ):
        path = tmp_path / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
        scenes.append(Scene(path, questions, ("a red cat", "a dog is on what")))
    return scenes


@pytest.fixture
def questions(tiny_blip):
    return blip.load_questions(ModelSource.parse(str(tiny_blip("vqa"))))


@pytest.fixture
def captions(tiny_blip):
    return blip.load_captioning(ModelSource.parse(str(tiny_blip("captioning"))))


def outputs(adapter, images) -> torch.Tensor:
    inputs = [adapter.tensor(adapter.preprocess(image)) for image in images.read()]
    with torch.inference_mode():
        return adapter.forward(torch.cat(inputs), 0, len(adapter.block_names))


def test_rows_are_the_words_of_the_answers(questions, scenes):
    images = answered(questions, scenes, part="test")
    words = questions._tokenizer.convert_ids_to_tokens(images.answers.truth.tolist())
    assert words == ["a", "red", "cat", "a", "dog"]
    assert images.answers.rows(torch.tensor([1, 0])).tolist() == [4, 0, 1, 2, 3]
    with_ends = answered(questions, scenes, part="test", ends=True).answers.truth.tolist()
    words = questions._tokenizer.convert_ids_to_tokens(with_ends)
    assert words == ["a", "red", "cat", "[SEP]", "a", "[SEP]", "dog", "[SEP]"]


def test_a_row_does_not_depend_on_the_rest_of_the_batch(questions, scenes):
    """Questions of different lengths would pad each other."""
    images = answered(questions, scenes, part="test")
    output, everything = outputs(questions, images), torch.arange(2)
    with torch.inference_mode():
        together = images.answers.scores(output, everything)
        alone = [
            images.answers.scores(output[at : at + 1], everything[at : at + 1]) for at in (0, 1)
        ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_the_first_row_of_an_answer_is_the_first_word_that_is_generated(questions, scenes):
    images = answered(questions, scenes, part="test")
    output = outputs(questions, images)
    with torch.inference_mode():
        scores = images.answers.scores(output, torch.arange(2))
        for row, image, question in ((0, 0, "is there a cat ?"), (4, 1, "is a dog on a cat ?")):
            word = questions._tokenizer.convert_ids_to_tokens([int(scores[row].argmax())])
            answer = questions.answer(output[image : image + 1].numpy(), question)
            assert answer.split()[:1] == word or word[0].startswith("[")


def test_a_captioner_gets_captions_which_mirrored_images_share(captions, scenes):
    images = answered(captions, [*scenes, Scene(scenes[0].image, (), ())], part="t", mirrored=True)
    assert images.count == 4
    read = list(images.read())
    assert np.array_equal(np.asarray(read[0]), np.asarray(read[2])[:, ::-1])
    rows = [images.answers.truth[images.answers.rows(torch.tensor([at]))] for at in range(4)]
    assert torch.equal(rows[0], rows[2])
    # Three words and five, each with its end.
    assert len(rows[0]) == 10
    output = outputs(captions, images)
    with torch.inference_mode():
        together = captions.captions(output.numpy())
        alone = [text for one in output.split(1) for text in captions.captions(one.numpy())]
    assert together == alone


def test_a_missing_package_is_reported_with_the_fix(monkeypatch):
    monkeypatch.setitem(sys.modules, "easy_vqa", None)
    with pytest.raises(NotFoundError, match="pip install easy-vqa"):
        easy_vqa.load("train")
