"""The words of the style guide: the field's terms in names and in prose.

People's own words are exempt: example requests, demonstrations and the phrases that the planner and
the coder learn from, and in tests the strings (requests among them), but not the comments.
"""

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Words that no identifier contains, and what to write instead.
IDENTIFIERS = {
    "lane": "worker",
    "lanes": "workers",
    "bill": "cost_report",
    "agreement": "accuracy_retention",
    "agreements": "accuracy_retention",
    "coding": "encoding",
    "codings": "encodings",
    "workshop": "training_backend",
    "rivals": "baselines",
    "made_once": "lazy",
    "ailment": "diagnosis",
    "teller": "ProgressLogger",
}
#: The same for prose.
PROSE = {
    r"bills?": "cost report",
    r"ladders?": "fallback chain",
    r"lanes?": "model worker",
    r"codings?": "encoding",
    r"agreements?": "accuracy retention",
    r"mends?|mended": "fixes",
    r"anew": "again",
    r"broken off": "interrupted",
    r"ailments?": "diagnosis",
    r"remed(?:y|ies)": "adjustment",
    r"multiply-adds?": "MACs",
}
_PROSE = re.compile(rf"\b(?:{'|'.join(PROSE)})\b", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")

#: Files whose texts are people's own words.
PEOPLES_WORDS = (
    "agents/fl_coder/constraints/amounts/phrases.yaml",
    "agents/fl_coder/constraints/constraints.yaml",
    "agents/planner/embedded/vocabulary.yaml",
    "benchmarks/data/",
    "benchmarks/federated/worded.yaml",
    "tools/cards/catalogue/",
    "tests/data/",
    "tests/unit/agents/fl_coder/",
)
THIS = "tests/unit/test_vocabulary.py"
SUFFIXES = (".md", ".yaml", ".yml", ".toml", "Makefile", ".env.example")


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _is_test(name: str) -> bool:
    return name.startswith("tests/")


FILES = _tracked()
CODE = [name for name in FILES if name.endswith(".py")]
TEXTS = [name for name in FILES if name.endswith(SUFFIXES) and not name.startswith(PEOPLES_WORDS)]


def words_of(name: str) -> set[str]:
    """Return the words of an identifier, and the identifier itself, in lower case."""
    return {word.lower() for word in _WORDS.findall(name)} | {name.lower()}


def prose_of(source: str, *, strings: bool) -> str:
    """Return comments and docstrings of a module, and its other strings if requested."""
    parts = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            parts.append(ast.get_docstring(node) or "")
        elif strings and isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts.append(node.value)
    return "\n".join(parts)


def found_in(text: str) -> list[str]:
    """Return the words of ``PROSE`` in a text."""
    return sorted({match.lower() for match in _PROSE.findall(text)})


def test_identifiers_use_the_fields_terms() -> None:
    odd = {}
    for name in CODE:
        source = (ROOT / name).read_text("utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        for each in {token.string for token in tokens if token.type == tokenize.NAME}:
            for word in words_of(each) & set(IDENTIFIERS):
                odd[f"{name}: {each}"] = f"write {IDENTIFIERS[word]}"
    assert odd == {}


def test_code_speaks_plain_english() -> None:
    odd = {}
    for name in CODE:
        source = (ROOT / name).read_text("utf-8")
        if name != THIS and (found := found_in(prose_of(source, strings=not _is_test(name)))):
            odd[name] = found
    assert odd == {}


def test_texts_speak_plain_english() -> None:
    assert {name: found for name in TEXTS if (found := found_in((ROOT / name).read_text()))} == {}


def test_the_words_are_found() -> None:
    assert words_of("ModelLane") & set(IDENTIFIERS) == {"lane"}
    assert words_of("min_agreement") & set(IDENTIFIERS) == {"agreement"}
    assert words_of("plane_billing") & set(IDENTIFIERS) == set()
    assert found_in("It mends the bill and goes on where it was broken off.") == [
        "bill",
        "broken off",
        "mends",
    ]
    comment = "x = 'a lane'  # anew\n"
    assert found_in(prose_of(comment, strings=False)) == ["anew"]
    assert found_in(prose_of(comment, strings=True)) == ["anew", "lane"]
