"""The static checks accept honest code and name slot and line of a fault."""

import pytest

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.template.syntax import check_source


def test_honest_code_passes(candidate: Candidate) -> None:
    assert check_source(candidate) == []


@pytest.mark.parametrize(
    ("code", "fault", "line"),
    [
        ("def augment(images:\n", "syntax", 1),
        ("def augment(images):\n    return images\0", "syntax", 0),
        ("import os\ndef augment(images): return images", "forbidden", 1),
        ("from subprocess import run\ndef augment(images): return images", "forbidden", 1),
        ("from . import x\ndef augment(images): return images", "forbidden", 1),
        ("import torch.hub\ndef augment(images): return images", "forbidden", 1),
        ("from torch import hub\ndef augment(images): return images", "forbidden", 1),
        ("def augment(images):\n    return open('x')", "forbidden", 2),
        ("def augment(images):\n    return eval('1')", "forbidden", 2),
        ("def augment(images):\n    return images.__class__.__bases__", "forbidden", 2),
        ("import torch\ndef augment(images):\n    return torch.load('x')", "forbidden", 3),
        ("import torch\ndef augment(images):\n    return torch.os.getcwd()", "forbidden", 3),
        ("import torch\ndef augment(images):\n    return torch.sys.modules", "forbidden", 3),
        ("from torch import os\ndef augment(images): return images", "forbidden", 1),
        ("def augment(images):\n    global x\n    return images", "forbidden", 2),
        ("async def augment(images):\n    return images", "forbidden", 1),
        ("print('hello')\ndef augment(images): return images", "forbidden", 1),
        ("for x in range(3): pass\ndef augment(images): return images", "forbidden", 1),
        ("def other(images): return images", "signature", 0),
        ("def augment(images, labels): return images", "signature", 1),
        ("def augment(*images): return images", "signature", 1),
    ],
)
def test_faults_name_slot_and_line(candidate: Candidate, code: str, fault: str, line: int) -> None:
    faults = check_source(candidate.model_copy(update={"augmentation": code}))
    assert [(found.code, found.slot, found.line) for found in faults] == [
        (fault, "augmentation", line)
    ]
    assert faults[0].message


def test_one_fault_per_slot(candidate: Candidate) -> None:
    broken = candidate.model_copy(update={"augmentation": "(", "schedule": "import os"})
    assert {fault.slot for fault in check_source(broken)} == {"augmentation", "schedule"}


def test_deep_nesting_is_a_fault_not_a_crash(candidate: Candidate) -> None:
    code = "x = " + "(" * 5000 + ")" * 5000
    assert check_source(candidate.model_copy(update={"model": code}))[0].code == "syntax"
