"""One form for texts, typing errors, and languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.wording import Wording
from edgewright.agents.text.language import foreign_language, notice
from edgewright.agents.text.normalise import normalised
from edgewright.tools.cards import CardRegistry

WORDING = Wording(CardRegistry.builtin())


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("\uff37\uff48\uff41\uff54\u3000is it\uff1f", "What is it?"),
        ("what\u200b is\u00a0it\ufeff?", "what is it?"),
        ("\u201cWhat\u2019s this?\u201d", '"What\'s this?"'),
        ("cafe\u0301", "caf\u00e9"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
    ],
)
def test_texts_are_brought_into_one_form(typed: str, text: str) -> None:
    assert normalised(typed) == text


@given(st.text())
def test_the_form_is_stable(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("decsribe tehre pciture", "describe there picture"),
        ("classfy this imge", "classify this image"),
        ("whatisthis", "what is this"),
        ("a sneaker and some sloes", "a sneaker and some sloes"),
        ("hw mny ppl r in ths pic", "how many people are in this pic"),
        ("dscrbe teh animul, plz clasifi it", "describe the animal, plz classify it"),
        ("wut r u doing in da photo", "what are you doing in the photo"),
        ("Is it a Leonardo da Vinci?", "Is it a Leonardo da Vinci?"),
        ("a stoat bred in Kent drinks campari", "a stoat bred in Kent drinks campari"),
        ("describe Ths.jpg and Wht", "describe Ths.jpg and Wht"),
    ],
)
def test_slips_in_words_of_requests_are_corrected(typed: str, text: str) -> None:
    assert WORDING.speller.corrected(typed) == text


@pytest.mark.parametrize(
    "text",
    [
        "Describe the picture.",
        "Buenos Aires or Santa Cruz?",
        "Is there a piñata in the photo?",
        "no label",
        "decsribe teh pciture",
        "hw mny dogs r thr",
        "plz clasifi",
        "keywords pls",
        "Poodle?",
        "What does 入口 on the sign mean?",
        "🙂",
        "",
        "describe pferd.jpg",
    ],
)
def test_english_is_english(text: str) -> None:
    assert foreign_language(text, WORDING.is_common) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Was siehst du auf dem Bild?", "German"),
        ("Quante persone ci sono nella foto?", "Italian"),
        ("Opisz to zdjęcie", "Polish"),
        ("写真を説明してください", "Japanese"),
        ("Сколько собак на картинке?", "Russian"),
        ("Décris cette image", "French"),
        ("classifica questa immagine", "Italian"),
    ],
)
def test_a_language_is_named_and_answered_in_its_own_words(text: str, language: str) -> None:
    assert foreign_language(text, WORDING.is_common) == language
    assert language in notice(language)
    assert len(notice(language)) > len(notice(""))
