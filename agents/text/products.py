"""Products of single-precision matrices by SciPy's BLAS.

NumPy 1.26, which the training of codecs needs, carries one that does not know many processors and
then computes with the instructions of 2004: large products take up to four times as long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``left @ right``.

    Args:
        left: float32 ``[N, D]``, contiguous as it is or transposed.
        right: float32 ``[D, M]``, the same.
    """
    # Not at the top of the module: the import takes longer than a plan.
    from scipy.linalg.blas import sgemm

    # BLAS reads columns first, as which the rows of a C array are those of its transpose.
    flipped = [matrix.T.flags.f_contiguous for matrix in (right, left)]
    one, other = (
        matrix.T if flat else matrix for matrix, flat in zip((right, left), flipped, strict=True)
    )
    found: NDArray[np.float32] = sgemm(
        1.0, one, other, trans_a=not flipped[0], trans_b=not flipped[1]
    )
    return found.T
