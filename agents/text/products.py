"""Products of single-precision matrices by SciPy's BLAS.

NumPy 1.26, which the training of codecs needs, carries one that predates many processors and then
computes with the instructions of 2004: a fit takes four times as long.
"""

from __future__ import annotations

from edgewright.agents.text.encoder import Vectors


def product(left: Vectors, right: Vectors) -> Vectors:
    """Return ``left @ right``.

    Args:
        left: float32 ``[N, D]``, contiguous as it is or transposed.
        right: float32 ``[D, M]``, the same.
    """
    # SciPy is imported only where a model is fitted: it takes longer than a plan.
    from scipy.linalg.blas import sgemm

    # BLAS reads columns first, as which the rows of a C array are those of its transpose.
    flipped = [matrix.T.flags.f_contiguous for matrix in (right, left)]
    one, other = (
        matrix.T if flat else matrix for matrix, flat in zip((right, left), flipped, strict=True)
    )
    result: Vectors = sgemm(1.0, one, other, trans_a=not flipped[0], trans_b=not flipped[1]).T
    return result
