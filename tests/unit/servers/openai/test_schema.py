"""JSON schemas are answered from results, with their types, and nothing is invented."""

import pytest

from edgewright.servers.openai.chores import chore_answer
from edgewright.servers.openai.errors import RequestError
from edgewright.servers.openai.schema import answer_schema

#: Frigate's schema of a review (frigate/data_processing/post/types.py), as pydantic writes it.
FRIGATE = {
    "type": "object",
    "title": "ReviewMetadata",
    "properties": {
        "observations": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
        "title": {"type": "string", "maxLength": 80},
        "scene": {"type": "string"},
        "shortSummary": {"type": "string", "maxLength": 20},
        "confidence": {"type": "number", "minimum": 0.0, "maximum": 1.0},
        "potential_threat_level": {"type": "integer", "minimum": 0, "maximum": 2},
        "other_concerns": {
            "anyOf": [{"items": {"type": "string"}, "type": "array"}, {"type": "null"}]
        },
    },
    "required": ["title", "scene", "shortSummary", "confidence", "potential_threat_level"],
    "additionalProperties": False,
}

CAT = {
    "text": "a cat (92 %)",
    "labels": [{"label": "tabby", "score": 0.92}, {"label": "dog", "score": 0.01}],
}
OBJECTS = {
    "text": "two people and a car",
    "perceptions": {
        "width": 640,
        "objects": [
            {"label": "person", "score": 0.9, "box": [1, 2, 3, 4]},
            {"label": "person", "score": 0.7, "box": [5, 6, 7, 8]},
            {"label": "car", "score": 0.6, "box": [9, 9, 9, 9]},
        ],
    },
}


def filled(reply, properties, *outputs, answer="A cat."):
    schema = {"type": "object", "properties": properties}
    return answer_schema(schema, reply(answer, *outputs))


def test_a_review_of_frigate_is_filled_and_says_what_is_not_known(reply):
    value, unanswered = answer_schema(FRIGATE, reply("Image 1: A cat. Image 2: A cup.", CAT, CAT))
    assert value == {
        "observations": ["a cat (92 %)", "a cat (92 %)"],
        "title": "a cat",
        "scene": "Image 1: A cat. Image 2: A cup.",
        "shortSummary": "Image 1: A cat. Imag",
        "confidence": 0.92,
        "potential_threat_level": 0,
        "other_concerns": None,
    }
    assert unanswered == ["potential_threat_level"]


@pytest.mark.parametrize(
    ("name", "output", "expected", "known"),
    [
        ("is_tabby", CAT, True, True),
        ("dog_present", CAT, False, False),  # a label that is hardly likely is no finding
        ("person", OBJECTS, True, True),
        ("open", {"text": "No, it is shut", "answer": "no", "score": 0.1}, False, True),
        ("rain", {"text": "a street"}, False, False),
    ],
)
def test_a_boolean_is_what_the_results_say(reply, name, output, expected, known):
    value, unanswered = filled(reply, {name: {"type": "boolean"}}, output)
    assert value == {name: expected}
    assert (unanswered == []) is known


def test_objects_are_counted_and_listed(reply):
    properties = {
        "person_count": {"type": "integer"},
        "count": {"type": "integer"},
        "objects": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "confidence": {"type": "number"},
                    "colour": {"type": "string"},
                },
            },
        },
        "labels": {"type": "array", "items": {"type": "string"}},
    }
    value, unanswered = filled(reply, properties, OBJECTS)
    assert value["person_count"] == 2
    assert value["count"] == 3
    assert value["objects"][0] == {"name": "person", "confidence": 0.9, "colour": ""}
    assert value["labels"] == ["person", "car"]
    assert unanswered == []


def test_an_enumeration_is_answered_with_one_of_its_options(reply):
    kinds = {"enum": ["dog", "tabby", "unknown"]}
    assert filled(reply, {"kind": kinds}, CAT)[0] == {"kind": "tabby"}
    value, unanswered = filled(reply, {"kind": {"enum": ["red", "unknown"]}}, CAT)
    assert (value, unanswered) == ({"kind": "unknown"}, ["kind"])


def test_references_and_choices_are_followed(reply):
    schema = {
        "type": "object",
        "properties": {"scene": {"$ref": "#/$defs/Scene"}, "note": {"type": ["string", "null"]}},
        "$defs": {"Scene": {"type": "object", "properties": {"text": {"type": "string"}}}},
    }
    value, _ = answer_schema(schema, reply("A cat.", CAT))
    assert value == {"scene": {"text": "A cat."}, "note": None}


def test_a_failed_task_leaves_everything_unanswered(reply):
    value, unanswered = filled(
        reply, {"cat": {"type": "boolean"}, "confidence": {"type": "number"}}, answer=""
    )
    assert value == {"cat": False, "confidence": 0.0}
    assert unanswered == ["cat", "confidence"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/properties/a"}}},
        {"properties": {"a": {"$ref": "#/$defs/missing"}}},
        {
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
        },
    ],
)
def test_a_schema_without_an_end_is_refused(reply, schema):
    with pytest.raises(RequestError) as caught:
        answer_schema(schema, reply("A cat.", CAT))
    assert caught.value.info().code == "schema_invalid"


#: Open WebUI's chores (backend/open_webui/config.py), shortened.
CHORE = """### Task:
{task}
### Guidelines:
- Prioritize accuracy.
### Output:
JSON format: {form}
### Examples:
- {{ "title": "Stock Market Trends" }}
### Chat History:
<chat_history>
USER: is there a cat in the garden today?
ASSISTANT: Yes, a cat (92 %).
</chat_history>"""


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ('{ "title": "your title" }', '{"title": "Is there a cat in the"}'),
        ('{ "tags": ["tag1", "tag2"] }', '{"tags": ["General"]}'),
        ('{ "follow_ups": ["Question 1?"] }', '{"follow_ups": []}'),
        ('{ "queries": [] }', '{"queries": []}'),
        ('{ "text": "…" }', '{"text": ""}'),
    ],
)
def test_chores_are_answered_from_the_words_of_the_chat(form, expected):
    assert chore_answer(CHORE.format(task="Generate something.", form=form)) == expected


@pytest.mark.parametrize("text", ["what is it?", "### Task: find the cat", "<chat_history>a"])
def test_requests_are_no_chores(text):
    assert chore_answer(text) is None
