"""Freed memory is reused instead of being allocated from the system again."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
from edgewright.tools.memory import keep_freed_memory

if "keep" in sys.argv and not keep_freed_memory():
    sys.exit("unsupported")

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layers = [bytearray(20_000_000) for _ in range(4)]
    del layers
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

for _ in range(3):  # glibc adapts its thresholds to freed blocks, up to limits
    faults()
print(faults())
"""


def _page_faults(*arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS, *arguments], check=False, capture_output=True, text=True
    )
    if done.stderr.strip() == "unsupported":
        pytest.skip("no glibc")
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has these thresholds")
def test_pages_are_allocated_once():
    usual, reused = _page_faults(), _page_faults("keep")
    assert usual > 10_000  # 80 MB in pages of 4 KB
    assert reused < usual / 100
