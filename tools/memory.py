"""Tuning of the process's memory allocator."""

from __future__ import annotations

import ctypes
import sys

# Parameters from malloc.h. 32 MiB is the largest mmap threshold that glibc accepts; 1 GiB is larger
# than any layer's memory.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP, _LARGEST_TRIM = 32 << 20, 1 << 30


def keep_freed_memory() -> bool:
    """Keep freed memory in this process for reuse instead of returning it to the system.

    A network's layers allocate megabytes and free them at once. By default glibc returns these to
    the system, which must clear every page again for the next layer: a third of
    EfficientNet-Lite0's time on one core. The cost is that the process retains its peak size, up to
    1 GiB.

    Returns:
        Whether the setting took effect; only glibc supports it.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP) and mallopt(_TRIM_THRESHOLD, _LARGEST_TRIM))
