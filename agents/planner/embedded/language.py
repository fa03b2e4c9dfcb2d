"""Detects requests in a language that the sentence encoder cannot read."""

from __future__ import annotations

import re
import unicodedata

#: Frequent short words that do not occur in English, by language.
_WORDS = {
    "German": """
        der das und ist ein eine einen einem einer dem den wie viele bitte auf mir ich
        nicht welche welcher welches zeigt dieses diesem diesen sind gibt zu mit wer wo
        warum bild
    """,
    "Spanish": """
        el la los las un una unos qué que cuántos cuántas hay está están por en es de
        del y foto imagen cuál dónde quién esta este con mi son
    """,
    "French": """
        le la les un une des du et est dans sur combien quel quelle cette cet où qui que
        il y a sont avec moi photo ce
    """,
    "Italian": """
        il lo la gli un una e è nella nel sulla quanti quante che questa questo di dove
        chi foto sono con
    """,
    "Portuguese": """
        o os as um uma e é na no quantos quantas que esta este do da onde quem foto são
        com
    """,
    "Dutch": """
        de het een en op hoeveel wat welke deze dit van met waar wie zijn er foto
    """,
}
_ENGLISH = """
    a an the is are was were what which who how where when why do does did can could i me my you it
    this that of in on at to and or with from for please there any picture photo image tell describe
    show he she his her many look give find use we our
"""
_WORD = re.compile(r"[^\W\d_]+")


def foreign_language(text: str) -> str:
    """Return the language of a text that is not English, else an empty string.

    Args:
        text: A request. A few foreign words in an English sentence do not make it foreign.
    """
    letters = [letter for letter in text if letter.isalpha()]
    if not letters:
        return ""
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    if latin < 0.7 * len(letters):
        return "a language without Latin letters"
    words = [word.lower() for word in _WORD.findall(text)]
    english = _hits(words, _ENGLISH)
    hits = {language: _hits(words, frequent) for language, frequent in _WORDS.items()}
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] > english and hits[best] >= min(2, len(words)) else ""


def _hits(words: list[str], frequent: str) -> int:
    listed = set(frequent.split())
    return sum(word in listed for word in words)
