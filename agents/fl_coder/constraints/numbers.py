"""Numbers in a text: digits and words, fractions, shares, ranges, and "two out of twenty"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES: dict[str, float] = {word: float(n) for n, word in enumerate(_ONES.split())}
_VALUES |= {word: 10.0 * n for n, word in enumerate(_TENS.split(), start=2)}
_VALUES |= {"nought": 0.0}
#: Whole numbers that one word names.
NUMBER_WORDS = tuple(_VALUES)
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_GROUPS = {"couple": 2.0, "pair": 2.0, "dozen": 12.0, "score": 20.0}
_GROUPS |= {"duo": 2.0, "trio": 3.0, "quartet": 4.0, "quintet": 5.0, "foursome": 4.0}
_ORDINALS = (
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
#: Names of fractions, by denominator.
_FRACTIONS: dict[str, float] = {word: float(n) for n, word in enumerate(_ORDINALS.split(), start=3)}
_FRACTIONS |= {"half": 2.0, "halve": 2.0, "quarter": 4.0, "hundredth": 1e2, "thousandth": 1e3}
_FRACTIONS |= {"millionth": 1e6, "percent": 1e2}
_DIGITS = frozenset("0123456789")
_ARTICLES = frozenset({"a", "an"})
_SINGLE = frozenset({"single", "lone", "sole"})
_OF_FRACTIONS = frozenset({"random", "mere", "full", "whole"})
_EVERY = {"second": 2.0, "other": 2.0} | {w: n for w, n in _FRACTIONS.items() if n < 21}

_TOKEN = re.compile(
    r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9.])|[0-9]{1,3},[0-9]{1,2}(?![0-9,e.])|0,[0-9]{1,15}|(?:[0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15})"
    r"(?:e[-+]?[0-9]{1,2})?|[^\W\d_]+|\S",
    re.IGNORECASE,
)
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_FRACTION_SIGNS = {"½": ("1/2", ".5"), "¼": ("1/4", ".25"), "¾": ("3/4", ".75")}
_SUPERSCRIPT = re.compile(r"(?<=\d)[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")


@dataclass(frozen=True)
class Token:
    """A word, number or sign of a text, in lower case, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Number:
    """A number in a text.

    Attributes:
        low: The value, or the lower end of a range.
        high: The value, or the upper end of a range.
        first: Index of its first token.
        after: Index of the token after it.
        share: Whether it is a share of something: a fraction, or a percentage as 0 to 1.
        of: The whole of "two out of twenty"; 0 if there is none.
        article: Whether it is only "a" or "an".
    """

    low: float
    high: float
    first: int
    after: int
    share: bool = False
    of: float = 0.0
    article: bool = False


def tokens_of(text: str) -> list[Token]:
    """Split a text into words, numbers and signs."""
    return [Token(m[0].lower(), m.start(), m.end()) for m in _TOKEN.finditer(normalised(text))]


def ordinal_of(words: str) -> int | None:
    """Return the number of an ordinal below a hundred: "8th", "eighth" or "twenty-fifth"."""
    words = words.lower()
    if match := re.fullmatch(r"(\d{1,3})(?:st|nd|rd|th)", words):
        return int(match[1])
    tens, _, ones = words.rpartition("-")
    units = {"first": 1, "second": 2} | {w: i for i, w in enumerate(_ORDINALS.split(), start=3)}
    whole = {f"{word[:-1]}ieth": int(_VALUES[word]) for word in _TENS.split()}
    number = units.get(ones, whole.get(ones))
    if number is None or (tens and (tens not in _TENS.split() or number > 9)):
        return None
    return number + (int(_VALUES[tens]) if tens else 0)


def normalised(text: str) -> str:
    """Write superscripts as powers, and unusual dashes, fractions and signs as plain ones."""
    text = _SUPERSCRIPT.sub(lambda m: "^" + m[0].translate(_SUPERSCRIPTS), text)
    for sign, (part, decimals) in _FRACTION_SIGNS.items():
        text = re.sub(rf"(?<=\d){sign}", decimals, text).replace(sign, part)
    return (
        text.replace("\u2212", "-").replace("\u2013", "-").replace("\u00d7", "*").replace("·", "*")
    )


def numbers_of(tokens: list[Token]) -> list[Number]:
    """Return the numbers among tokens, from left to right, none inside another."""
    found: list[Number] = []
    position = 0
    while position < len(tokens):
        number = _Reader(tokens).number(position)
        if number is None:
            position += 1
        else:
            found.append(number)
            position = number.after
    return found


class _Reader:
    """Reads numbers that begin at a given token."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens

    def _at(self, position: int) -> str:
        return self._tokens[position].text if 0 <= position < len(self._tokens) else ""

    def _singular(self, position: int) -> str:
        word = self._at(position)
        return word[:-1] if word.endswith("s") and word[:-1] in _FRACTIONS | _GROUPS else word

    def number(self, position: int) -> Number | None:
        """Read a range, a share of a whole, or a single number."""
        if self._at(position) == "between":
            low = self._single(position + 1)
            high = self._single(low.after + 1) if low and self._at(low.after) == "and" else None
            if low and high:
                return self._with_whole(_range(low, high, position))
        if self._at(position) == "every" and self._at(position + 1) in _EVERY:
            share = 1 / _EVERY[self._at(position + 1)]
            return Number(share, share, position, position + 2, share=True)
        number = self._single(position)
        if number is None:
            return None
        if self._at(number.after) in ("-", "to", "or") and not number.article:
            high = self._single(number.after + 1)
            if high and not high.article and high.high >= _lower(number, high):
                number = _range(number, high, position)
        return self._with_whole(number)

    def _with_whole(self, number: Number) -> Number:
        """Read what follows of "two out of twenty", "one in five" and "seven of the thirty"."""
        position = number.after
        if self._at(position) == "out" and self._at(position + 1) == "of":
            position += 2
        elif self._at(position) in ("in", "of", "from", "among"):
            position += 1
        elif self._at(position) == "times" and self._at(position + 1) == "out":
            position += 3
        elif self._at(position) == "times" and self._at(position + 1) == "in":
            position += 2
        else:
            return number
        if self._at(position) in ("the", "our", "all", "every", "these", "those", "my"):
            position += 1
        whole = self._single(position)
        if whole is None or whole.high < 2 or whole.share or number.share or number.article:
            return number
        return replace(number, of=whole.high, after=whole.after)

    def _single(self, position: int) -> Number | None:
        text = self._at(position)
        if text[:1] in _DIGITS or (text[:1] == "." and len(text) > 1):
            return self._digits(position)
        return self._words(position)

    def _digits(self, position: int) -> Number:
        value = _value(self._at(position))
        after = position + 1
        if self._at(after) in ("*", "x") and self._at(after + 1) == "10":  # 1 * 10^-5
            power, after = self._power(after + 2)
            return self._finished(value * 10.0**power, position, after)
        if self._at(after) == "^":
            power, after = self._power(after)
            return self._finished(value**power, position, after)
        if self._at(after) == "/" and self._at(after + 1)[:1] in _DIGITS:
            whole = _value(self._at(after + 1))
            if whole:
                value, after = value / whole, after + 2
                return Number(value, value, position, after, share=True)
        if self._at(after) in _SCALES:
            value, after = value * _SCALES[self._at(after)], after + 1
        elif scale := self._suffix(after):
            value, after = value * scale, after + 1
        return self._finished(value, position, after)

    def _suffix(self, position: int) -> float:
        """Return the scale of a letter that is joined to a number: "50k", "11M parameters"."""
        joined = 0 < position < len(self._tokens) and (
            self._tokens[position].start == self._tokens[position - 1].end
        )
        counted = self._at(position + 1) in ("parameters", "weights", "images", "samples")
        if not joined or self._at(position) not in ("k", "m"):
            return 0.0
        return 1e3 if self._at(position) == "k" else 1e6 if counted else 0.0

    def _power(self, position: int) -> tuple[float, int]:
        """Read "^-5" or "^(-5)" at a position; return the exponent and what follows."""
        sign, opened = 1.0, False
        while self._at(position) in ("^", "-", "{", "("):
            sign = -sign if self._at(position) == "-" else sign
            opened |= self._at(position) in ("{", "(")
            position += 1
        text = self._at(position)
        if not (text.isascii() and text.isdigit()):
            return 1.0, position
        position += 1
        if opened and self._at(position) in ("}", ")"):
            position += 1
        return sign * min(float(text), 30.0), position

    def _words(self, position: int) -> Number | None:
        first = position
        if self._at(position) in _ARTICLES and self._at(position + 1) in _SINGLE:
            return Number(1.0, 1.0, first, position + 2)
        if self._singular(position) == "half":
            return self._half(position)
        if self._at(position) in _ARTICLES and self._at(position + 1) in _OF_FRACTIONS:
            part = _FRACTIONS.get(self._at(position + 2))
            if part:  # a random third
                return Number(1 / part, 1 / part, first, position + 3, share=True)
        value, position = self._cardinal(position)
        if value is None:
            return None
        value, position = self._decimals(value, position)
        name = self._singular(position + (self._at(position) == "-"))
        if name in _FRACTIONS and name != "percent":  # a quarter, three-tenths
            position += 1 + (self._at(position) == "-")
            share = value / _FRACTIONS[name]
            return Number(share, share, first, position, share=True)
        if self._at(position) == "and" and self._at(position + 1) in _ARTICLES:
            part = _FRACTIONS.get(self._at(position + 2))
            if part:  # one and a half
                return Number(value + 1 / part, value + 1 / part, first, position + 3)
        article = position == first + 1 and self._at(first) in _ARTICLES
        return replace(self._finished(value, first, position), article=article)

    def _decimals(self, value: float, position: int) -> tuple[float, int]:
        """Read the decimals of "two point five"; return the number and what follows."""
        if self._at(position) != "point" or self._at(position - 1) in _ARTICLES:
            return value, position
        after, scale = position + 1, 0.1
        while _VALUES.get(self._at(after), 10.0) < 10.0:
            value, scale = round(value + scale * _VALUES[self._at(after)], 9), scale / 10
            after += 1
        return (value, after) if after > position + 1 else (value, position)

    def _half(self, position: int) -> Number:
        """Read "half", "half a dozen" and "half a million"."""
        after = position + 1
        if self._at(after) in _ARTICLES:
            name = self._singular(after + 1)
            group = _GROUPS.get(name) or _SCALES.get(name)
            if group:
                return Number(group / 2, group / 2, position, after + 2)
        return Number(0.5, 0.5, position, after, share=True)

    def _cardinal(self, position: int) -> tuple[float | None, int]:
        """Read a whole number in words, such as "twenty-five" or "a hundred and ten"."""
        total, current, seen = 0.0, None, False
        first = position
        while True:
            word = self._at(position)
            if word in _ARTICLES and position == first:
                current = 1.0
            elif word in _VALUES:
                # "twenty five" is one number, "five six" are two.
                if (
                    current is not None
                    and not (current % 100 >= 20 > _VALUES[word])
                    and (current % 100)
                ):
                    break
                current = (current or 0.0) + _VALUES[word]
                seen = True
            elif word in _SCALES and (current is not None or seen):
                denominator = self._fraction_of_scale(position)
                if denominator:
                    return (current or 1.0) / denominator[0], denominator[1]
                current = (current or 1.0) * _SCALES[word]
                if word != "hundred":
                    total, current = total + current, 0.0
                seen = True
            elif self._singular(position) in _GROUPS and current is not None:
                return (total + current) * _GROUPS[self._singular(position)], position + 1
            elif (word == "-" and seen and self._at(position + 1) in _VALUES | _SCALES) or (
                word == "and"
                and seen
                and (current or 0.0) % 100 == 0
                and self._at(position + 1) in _VALUES
                and (current or total)
            ):
                pass
            else:
                break
            position += 1
        return (None, first) if current is None else (total + current, position)

    def _fraction_of_scale(self, position: int) -> tuple[float, int] | None:
        """Read "hundred-thousandth": return its denominator and what follows."""
        scale = _SCALES[self._at(position)]
        after = position + 1 + (self._at(position + 1) == "-")
        name = self._singular(after)
        if name in ("thousandth", "millionth"):
            return scale * _FRACTIONS[name], after + 1
        return None

    def _finished(self, value: float, first: int, after: int) -> Number:
        """Read a percent sign after a number."""
        if self._at(after) in ("%", "percent", "pct"):
            return Number(value / 100, value / 100, first, after + 1, share=True)
        if self._at(after) == "per" and self._at(after + 1) == "cent":
            return Number(value / 100, value / 100, first, after + 2, share=True)
        return Number(value, value, first, after)


def _value(digits: str) -> float:
    """Return the value of digits, whose comma separates thousands, or decimals in other places."""
    thousands = re.fullmatch(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+", digits)
    return float(digits.replace(",", "" if thousands else "."))


def _range(low: Number, high: Number, first: int) -> Number:
    """Join the ends of a range; "10 to 20 %" are two shares."""
    start = _lower(low, high)
    return Number(start, high.high, first, high.after, share=high.share)


def _lower(low: Number, high: Number) -> float:
    return low.low / 100 if high.share and not low.share and low.low > 1 else low.low
