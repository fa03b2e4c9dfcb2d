"""The benchmark of questions: its data, its halves and how answers are scored."""

import hashlib
import json

import pytest

from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.experts.rows import Answered
from edgewright.benchmarks.experts.run import results_table, score
from edgewright.benchmarks.experts.scoring import verdict, wrong_things
from edgewright.benchmarks.workloads.labelled_photographs import photographs
from edgewright.benchmarks.workloads.scenes import MissingPhotographsError, of_half

FOLDER = DATA / "experts"


def lines(name):
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def test_the_data_is_as_large_as_promised_and_consistent():
    entries, questions = lines("photographs.jsonl"), lines("questions.jsonl")
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names)) >= 60
    assert len(questions) >= 200
    assert {question["photograph"] for question in questions} == set(names)
    assert all(entry["things"] for entry in entries)
    assert all(("accept" in each) != ("words" in each) for each in questions)
    unseen = [entry for entry in entries if entry["package"] == "opencv-doc"]
    for entry in unseen:
        file = entry["path"].rpartition("/")[2].lower()
        assert file[0] <= "k" or file[:11] in [f"scenetext0{n}" for n in range(1, 5)]


def test_the_photographs_added_for_development_are_none_of_the_halves():
    entries = lines("further/photographs.jsonl")
    names = {entry["name"] for entry in entries}
    digests = {entry["sha256"] for entry in entries}
    assert not digests & {entry["sha256"] for entry in lines("photographs.jsonl")}
    assert {each["photograph"] for each in lines("further/questions.jsonl")} == names
    assert all(entry["path"].rpartition("/")[2][0].lower() in "abcdefghijk" for entry in entries)


def test_the_halves_share_nothing():
    entries = lines("photographs.jsonl")
    halves = [{each["name"] for each in of_half(entries, half)} for half in ("development", "test")]
    assert not halves[0] & halves[1]
    assert len(halves[0] | halves[1]) == len(entries)
    assert abs(len(halves[0]) - len(halves[1])) <= 1


@pytest.mark.parametrize(
    ("question", "output", "expected"),
    [
        ({"accept": ["yes"]}, {"text": "", "answer": "yes"}, "right"),
        ({"accept": ["yes"]}, {"text": "", "answer": "no"}, "wrong"),
        ({"accept": ["yes"]}, {"text": "", "answer": "unsure"}, "refused"),
        ({"accept": ["yes"]}, None, "refused"),
        ({"accept": ["refuse"]}, None, "right"),
        ({"accept": ["refuse"]}, {"text": "", "answer": "yes"}, "wrong"),
        ({"accept": ["dog"]}, {"text": "", "answer": "dogs"}, "right"),
        ({"accept": ["black", "white"]}, {"text": "", "answer": "black and white"}, "right"),
        ({"accept": ["black"]}, {"text": "", "answer": "black and red"}, "wrong"),
        ({"accept": ["none"]}, {"text": "", "answer": "none"}, "right"),
        (
            {"words": ["car", "parks"]},
            {"text": "It reads \u201cCar Parks\u201d.", "answer": ""},
            "right",
        ),
        ({"words": ["car", "parks"]}, {"text": "It reads \u201cCar\u201d.", "answer": ""}, "wrong"),
    ],
)
def test_verdicts(question, output, expected):
    assert verdict(question, output) == expected


def test_things_in_captions():
    assert wrong_things(["cats", "dog", "people"], ["cat", "person"]) == ["dog"]


@pytest.fixture
def unpacked(tmp_path):
    """Return a folder of data with two photographs, and one with their unpacked packages."""
    data, folder = tmp_path / "data", tmp_path / "packages"
    data.mkdir()
    entries, questions = [], []
    for name in ("a.jpg", "b.jpg"):
        path = folder / "usr" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        entries.append(
            {
                "name": name,
                "package": "pictures",
                "path": f"usr/{name}",
                "sha256": hashlib.sha256(name.encode()).hexdigest(),
                "things": ["dog"],
            }
        )
        questions.append(
            {"photograph": name, "kind": "exists", "question": "A dog?", "accept": ["yes"]}
        )
    for file, rows in (("photographs.jsonl", entries), ("questions.jsonl", questions)):
        (data / file).write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return data, folder


def test_photographs_are_found_by_path_and_digest(unpacked):
    data, folder = unpacked
    (found,) = photographs("test", [folder], data)
    assert found.data == found.name.encode()
    assert found.questions[0]["question"] == "A dog?"
    (folder / "usr" / found.name).write_bytes(b"another file")
    with pytest.raises(MissingPhotographsError, match=r"pictures.*PHOTOGRAPHS=FOLDER"):
        photographs("test", [folder], data)


def test_further_photographs_lie_in_a_folder_of_their_own(unpacked):
    data, folder = unpacked
    (data / "further").mkdir()
    for file in ("photographs.jsonl", "questions.jsonl"):
        (data / file).rename(data / "further" / file)
    assert [each.name for each in photographs("further", [folder], data)] == ["a.jpg", "b.jpg"]


def test_scores_and_tables(unpacked):
    data, folder = unpacked
    found = photographs("development", [folder], data) + photographs("test", [folder], data)

    def method(photograph):
        wrong = photograph.name == "b.jpg"
        output = {"text": "", "answer": "no" if wrong else "yes", "certainty": "probable"}
        caption = {"text": "", "things": ["cat"] if wrong else ["dog"]}
        return Answered({"A dog?": output}, {}, caption, {"objects": 5.0})

    scored = score(method, found, "test")
    assert (scored["right"]["share"], scored["wrong"]["share"]) == (0.5, 0.5)
    assert scored["things"]["share"] == 0.5
    figures = {
        "questions": 2,
        "methods": {"all together": scored},
        "certainty": scored["certainty"],
    }
    page = results_table(figures)
    assert "50.0 %" in page
    assert "probable" in page
