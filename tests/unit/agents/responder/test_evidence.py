"""A statement of a chat model is used only if its labels, numbers, names and yes/no are known."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.responder.evidence import is_supported

TABBY = {"text": "tabby (71 %)", "labels": [{"label": "tabby, tabby cat", "score": 0.7123}]}
YES, NO = {"text": "yes, probably"}, {"text": "no"}


@pytest.mark.parametrize(
    ("text", "output", "supported"),
    [
        ("It is a tabby cat.", TABBY, True),
        ("It is a tabby (71 %).", TABBY, True),
        ("It is a tabby with 71.2 % certainty.", TABBY, True),
        ("It is a tabby with 93 % certainty.", TABBY, False),
        ("It is a beagle.", TABBY, False),
        ("It is a tabby called Felix.", TABBY, False),
        ("There are three tabby cats.", TABBY, False),
        ("Yes, there is a dog.", YES, True),
        ("No, there is no dog.", YES, False),
        ("There is no dog.", NO, True),
        ("There isn\u2019t a dog.", NO, True),
        ("Yes, there is a dog.", NO, False),
        ("There is a dog.", NO, False),
        ("A cat lies on a sofa.", {"text": "a cat on a sofa"}, True),
        ("A tabby cat sits beside a bicycle.", TABBY, False),
        ("It is a tabby, and the house is on fire.", TABBY, False),
        ("The photograph most likely shows a tabby cat.", TABBY, True),
        ("The picture shows two tabbies.", TABBY, False),
        ("Two buses are seen.", {"text": "2 buses", "count": 2}, True),
        ("It is red.", {"text": "blue"}, False),
        ("It reads EXIT 42.", {"text": "EXIT 42"}, True),
        ("It reads EXIT 43.", {"text": "EXIT 42"}, False),
    ],
)
def test_statements_are_compared_with_their_result(
    text: str, output: dict[str, Any], supported: bool
) -> None:
    assert is_supported(text, output, "is there a dog?") is supported


JSON = st.recursive(
    st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(st.text(), JSON)
def test_any_statement_and_any_output(text: str, output: object) -> None:
    assert is_supported(text, {"text": output, "labels": output}, text) in (True, False)
