"""Memory that was freed is used again instead of being asked for anew."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
from edgewright.tools.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        bytearray(8_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
if not keep_freed_memory():
    sys.exit("not here")
faults()
print(usual, faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do as they like")
def test_pages_are_asked_for_once():
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS], check=False, capture_output=True, text=True
    )
    if done.stderr.strip() == "not here":
        pytest.skip("no glibc")
    usual, kept = map(int, done.stdout.split())
    assert kept < usual / 10
