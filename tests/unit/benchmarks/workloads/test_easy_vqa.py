"""Captions from questions and answers, and every word that a small BLIP writes as a row."""

import numpy as np
import pytest
import torch
from PIL import Image

from edgewright.benchmarks.workloads import easy_vqa
from edgewright.benchmarks.workloads.easy_vqa import Scene, answered, captions_of
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
def test_captions_say_what_questions_and_answers_tell(questions, caption):
    captions = captions_of(questions)
    assert captions[:1] == (() if caption is None else (caption,))
    assert len(captions) in (0, 5)


@pytest.fixture
def scenes(tmp_path):
    """Two pictures of noise, with questions in the words that the small model knows."""
    random = np.random.default_rng(0)
    found = []
    for number, questions in enumerate(
        [
            (("is there a cat ?", "a red cat"), ("how many ?", "a")),
            (("is a dog on a cat ?", "dog"),),
        ]
    ):
        path = tmp_path / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
        found.append(Scene(path, questions, ("a red cat", "a dog is on what")))
    return found


@pytest.fixture
def questions(tiny_blip):
    return blip.load_questions(ModelSource.parse(str(tiny_blip("vqa"))))


@pytest.fixture
def captions(tiny_blip):
    return blip.load_captioning(ModelSource.parse(str(tiny_blip("captioning"))))


def outputs(adapter, pictures) -> torch.Tensor:
    inputs = [adapter.tensor(adapter.preprocess(picture)) for picture in pictures.read()]
    with torch.inference_mode():
        return adapter.run(torch.cat(inputs), 0, len(adapter.block_names))


def test_rows_are_the_words_of_the_answers(questions, scenes):
    pictures = answered(questions, scenes, part="test")
    words = questions._tokenizer.convert_ids_to_tokens(pictures.answers.truth.tolist())
    assert words == ["a", "red", "cat", "a", "dog"]
    assert pictures.answers.rows(torch.tensor([1, 0])).tolist() == [4, 0, 1, 2, 3]
    with_ends = answered(questions, scenes, part="test", ends=True).answers.truth.tolist()
    words = questions._tokenizer.convert_ids_to_tokens(with_ends)
    assert words == ["a", "red", "cat", "[SEP]", "a", "[SEP]", "dog", "[SEP]"]


def test_a_row_does_not_depend_on_what_is_read_beside_it(questions, scenes):
    """Questions of other lengths are padding to each other."""
    pictures = answered(questions, scenes, part="test")
    output, everything = outputs(questions, pictures), torch.arange(2)
    with torch.inference_mode():
        together = pictures.answers.scores(output, everything)
        alone = [
            pictures.answers.scores(output[at : at + 1], everything[at : at + 1]) for at in (0, 1)
        ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_the_first_row_of_an_answer_is_the_first_word_that_is_generated(questions, scenes):
    pictures = answered(questions, scenes, part="test")
    output = outputs(questions, pictures)
    with torch.inference_mode():
        scores = pictures.answers.scores(output, torch.arange(2))
        for row, picture, question in ((0, 0, "is there a cat ?"), (4, 1, "is a dog on a cat ?")):
            word = questions._tokenizer.convert_ids_to_tokens([int(scores[row].argmax())])
            said = questions.answer(output[picture : picture + 1], question)
            assert said.split()[:1] == word or word[0].startswith("[")


def test_a_captioner_gets_the_captions_and_mirrored_pictures_have_the_same(captions, scenes):
    pictures = answered(
        captions, [*scenes, Scene(scenes[0].picture, (), ())], part="t", mirrored=True
    )
    assert pictures.count == 4
    read = list(pictures.read())
    assert np.array_equal(np.asarray(read[0]), np.asarray(read[2])[:, ::-1])
    rows = [pictures.answers.truth[pictures.answers.rows(torch.tensor([at]))] for at in range(4)]
    assert torch.equal(rows[0], rows[2])
    # Three words and five, each with its end.
    assert len(rows[0]) == 10
    output = outputs(captions, pictures)
    with torch.inference_mode():
        together = captions.captions(output)
        alone = [text for one in output.split(1) for text in captions.captions(one)]
    assert together == alone


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    import sys

    from edgewright.tools.errors import NotFoundError

    monkeypatch.setitem(sys.modules, "easy_vqa", None)
    with pytest.raises(NotFoundError, match="pip install easy-vqa"):
        easy_vqa.load("train")
