"""``edgewright plan`` with the embedded planner."""

import json
import os

import pytest


def test_a_plan_as_json_keeps_its_contract(edgewright, photograph):
    result = edgewright("plan", "--json", "what is in this picture?", "--image", photograph)
    assert result.exit_code == 0
    plan = json.loads(result.stdout)
    assert set(plan) == {"request", "tasks", "notes", "planner", "confidence", "needs", "reason"}
    assert {"id", "tool", "task_type", "args", "depends_on"} <= set(plan["tasks"][0])
    assert plan["tasks"][0]["args"]["image"].startswith("store:")
    assert plan["needs"] == []


def test_a_request_is_planned_although_its_image_is_missing(edgewright):
    plan = json.loads(edgewright("plan", "--json", "what is in this picture?").stdout)
    assert plan["tasks"]
    assert plan["needs"] == ["image"]


def test_a_plan_for_a_terminal_names_the_image(edgewright, photograph):
    result = edgewright("plan", "is there a cat in the picture?", "-i", photograph)
    assert result.exit_code == 0
    assert "gate.png" in result.stdout
    assert "visual-question-answering" in result.stdout.replace("\n", "")


def test_many_requests_are_planned_one_a_line(edgewright, tmp_path, photograph):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"id": "a", "request": "what is in this picture?", "image": str(photograph)},
        {"id": 2, "request": "is there a dog?"},
    ]
    source.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    result = edgewright("plan", "--requests", source, "--out", target)
    assert result.exit_code == 0
    written = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["id"] for row in written] == ["a", 2]
    assert all(row["latency_ms"] > 0 for row in written)
    assert written[0]["needs"] == []
    assert written[1]["needs"] == ["image"]
    result = edgewright("plan", "--requests", source, "--out", target, "--json")
    assert json.loads(result.stdout) == {"plans": 2, "out": str(target)}


@pytest.mark.parametrize("line", ["{", "[]", '{"id": 1}', '{"id": 1, "request": 2}', '"text"'])
def test_a_wrong_line_is_named_by_its_number(edgewright, error_of, tmp_path, line):
    source = tmp_path / "in.jsonl"
    source.write_text(f'{{"id": 1, "request": "what is it?"}}\n{line}\n')
    result = edgewright("plan", "--requests", source, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert answer["plans"] == 1
    assert "line 2" in result.stderr
    first, second = map(json.loads, (tmp_path / "out").read_text().splitlines())
    assert first["tasks"]
    assert second == answer["failed"][0]
    assert (second["line"], second["error"]["code"]) == (2, "requests_invalid")
    source.write_text(f"{line}\n{{")
    result = edgewright("plan", "--requests", source, "--out", tmp_path / "out", "--json")
    assert error_of(result)["code"] == "requests_invalid"


def test_rows_in_other_encodings_and_with_odd_separators_are_planned(edgewright, tmp_path):
    def row(text):
        return json.dumps({"id": text, "request": text}, ensure_ascii=False)

    texts = ["what is\u2028this?", "is this\u2029a\x85cat?", "caf\u00e9?"]
    rows = "\n".join(map(row, texts))
    lone = '{"id": 1, "request": "what is this \\ud83d?"}'
    contents = {
        "utf-8-sig": rows.encode("utf-8-sig"),
        "utf-16": rows.encode("utf-16"),
        "crlf": rows.replace("\n", "\r\n").encode(),
        "array": f"[{','.join(map(row, texts))}]".encode(),
        "latin-1": row("caf\u00e9?").encode("latin-1"),
        "lone surrogate": lone.encode(),
    }
    for name, content in contents.items():
        source, target = tmp_path / name, tmp_path / "out"
        source.write_bytes(content)
        result = edgewright("plan", "--requests", source, "--out", target)
        assert result.exit_code == 0, (name, result.output)
        written = [json.loads(line) for line in target.read_text().split("\n")[:-1]]
        expected = {"latin-1": ["caf\u00e9?"], "lone surrogate": [1]}.get(name, texts)
        assert [each["id"] for each in written] == expected, name


def test_bad_images_do_not_end_a_batch_and_all_are_named(edgewright, tmp_path, photograph):
    os.mkfifo(tmp_path / "pipe.png")
    images = ["gone.png", str(tmp_path / "pipe.png"), "/dev/zero", str(photograph)]
    rows = [{"id": n, "request": "what is it?", "image": where} for n, where in enumerate(images)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = edgewright(
        "plan", "--requests", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl"
    )
    assert result.exit_code == 2
    assert all(where in result.stderr for where in images[:3])
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert ["error" in each for each in written] == [True, True, True, False]
    args = [part for where in images for part in ("--image", where)]
    result = edgewright("ask", "what is it?", *args)
    assert result.exit_code == 2
    assert all(where in result.stderr for where in images[:3])


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("missing.jsonl", "out.jsonl", "file_missing"),
        ("binary.jsonl", "out.jsonl", "requests_invalid"),
        ("in.jsonl", "no/such/folder.jsonl", "out_unwritable"),
    ],
)
def test_unusable_files_are_reported(edgewright, error_of, tmp_path, source, target, code):
    (tmp_path / "in.jsonl").write_text('{"id": 1, "request": "what is it?"}')
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    args = ("--requests", tmp_path / source, "--out", tmp_path / target)
    result = edgewright("plan", *args, "--json")
    assert result.exit_code == 2
    assert error_of(result)["code"] == code


def test_a_full_disk_is_reported(edgewright, error_of, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"id": 1, "request": "what is it?"}')
    result = edgewright("plan", "--requests", tmp_path / "in.jsonl", "--out", "/dev/full", "--json")
    assert result.exit_code == 1
    assert error_of(result)["code"] == "storage_full"


@pytest.mark.parametrize(
    "args", [(), ("text", "--requests", "a", "--out", "b"), ("--requests", "a"), ("--out", "b")]
)
def test_exactly_one_kind_of_input_is_accepted(edgewright, error_of, args):
    result = edgewright("plan", *args, "--json")
    assert result.exit_code == 2
    assert error_of(result)["code"] == "usage"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.png", None, "file_missing"),
        ("empty.png", b"", "empty_image"),
        ("text.png", b"hello, this is no picture", "not_an_image"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0", "image_truncated"),
        ("some.gif", b"GIF89a" + b"\0" * 20, "image_truncated"),
        ("some.jxl", b"\xff\x0a" + b"\0" * 20, "unsupported_media_type"),
        ("camera:a/b", None, "image_unknown"),
    ],
)
def test_an_unusable_image_is_named(edgewright, error_of, tmp_path, name, content, code):
    where = name if name.startswith("camera:") else tmp_path / name
    if content is not None:
        where.write_bytes(content)
    for command in ("plan", "ask"):
        result = edgewright(command, "what is it?", "--image", where, "--json")
        assert result.exit_code == 2
        error = error_of(result)
        assert error["code"] == code
        assert name in error["message"]
    result = edgewright("plan", "what is it?", "--image", where)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_too_large_is_not_read(edgewright, error_of, tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(17_000_000)
    result = edgewright("plan", "what is it?", "--image", path, "--json")
    assert error_of(result)["code"] == "file_too_large"


def test_cards_are_listed_with_the_reason_why_they_are_unavailable(
    edgewright, monkeypatch, tmp_path
):
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path))
    cards = {card["id"]: card for card in json.loads(edgewright("plan", "--list", "--json").stdout)}
    assert cards["image-classification"]["available"]
    assert not cards["pose-detection"]["available"]
    assert "edgewright train" in cards["federated-training"]["reason"]
    assert cards["pose-detection"]["reason"]
    assert "EDGEWRIGHT_BLIP_VQA" in cards["visual-question-answering"]["reason"]
    assert cards["image-to-text"]["schema"]["type"] == "object"
    assert "pose-detection" in edgewright("plan", "--list").stdout
