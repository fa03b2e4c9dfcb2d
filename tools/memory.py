"""How a process gets and gives back its memory."""

from __future__ import annotations

import ctypes
import sys

# Of malloc.h, with the largest threshold that glibc takes, and one beyond any model's layers.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP, _LARGEST_TRIM = 32 << 20, 1 << 30


def keep_freed_memory() -> bool:
    """Have this process keep the memory that it frees, to use it again.

    A network's layers ask for megabytes and free them at once. By default glibc returns those to
    the system, which has to clear every page of them again for the next layer: a third of
    EfficientNet-Lite0's time on one core. In return the process stays as large as it has ever been,
    up to a gigabyte.

    Returns:
        Whether this system can be told so; only glibc can.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP) and mallopt(_TRIM_THRESHOLD, _LARGEST_TRIM))
