"""Memory that was freed is used again instead of being asked for anew."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
from edgewright.tools.memory import keep_freed_memory

if "kept" in sys.argv and not keep_freed_memory():
    sys.exit("not here")

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layers = [bytearray(20_000_000) for _ in range(4)]
    del layers
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

for _ in range(3):  # glibc's thresholds follow what is freed, up to their own limits
    faults()
print(faults())
"""


def _page_faults(*arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS, *arguments], check=False, capture_output=True, text=True
    )
    if done.stderr.strip() == "not here":
        pytest.skip("no glibc")
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do as they like")
def test_pages_are_asked_for_once():
    usual, kept = _page_faults(), _page_faults("kept")
    assert usual > 10_000  # 80 MB in pages of 4 KB
    assert kept < usual / 100
