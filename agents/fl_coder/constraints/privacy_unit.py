"""Reads whom differential privacy is to protect: single samples, persons or whole clients."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edgewright.agents.fl_coder.constraints.places import sentences

Unit = Literal["sample", "person", "client"]
#: From the weakest protection to the strongest.
UNITS: tuple[Unit, ...] = ("sample", "person", "client")

SAMPLE = (
    r"(?:samples?|examples?|records?|rows?|images?|pictures?|photos?|photographs?|instances?|items?|"
    r"scans?|x-?rays?|measurements?|data\s*-?\s*points?|datum|documents?|readings?|observations?|"
    r"entr(?:y|ies)|mammograms?|drawings?|recordings?|slides?|exposures?|frames?|tuples?|sentences?|"
    r"messages?|e-?mails?|utterances?|transactions?|purchases?|clips?|pages?|letters?|sketch(?:es)?|"
    r"snapshots?|tiles?|crops?|texts?|posts?|visits?|tweets?|essays?|slices?|biops(?:y|ies)|"
    r"heartbeats?|pairs?|comments?|appointments?|donations?|sounds?|orders?|trips?|calls?|forms?)"
)
PERSON = (
    r"(?:persons?|people|patients?|subjects?|individuals?(?!\s+"
    + SAMPLE
    + r")|customers?|users?|(?:study|trial)\s+participants?|participants?\s+of\s+"
    r"the\s+(?:study|trial)|pupils?|students?|citizens?|employees?|writers?|speakers?|children|"
    r"child|donors?|volunteers?|members?|persons?'s|residents?|voters?|readers?|drivers?|passengers?|guests?|tenants?|fathers?|parents?|workers?|nurses?|shoppers?|authors?|teachers?|learners?|"
    r"wom[ae]n|m[ae]n|girls?|boys?|mothers?|taxpayers?|inhabitants?|cardholders?|somebody|someone|subscribers?|consumers?|human\s+beings?|humans?)"
)
_CLIENT = (
    r"(?:clients?|hospitals?|sites?|institutions?|clinics?|banks?|devices?|phones?|organi[sz]ations?"
    r"|compan(?:y|ies)|silos?|nodes?|owners?|partners?|schools?|shops?|branch(?:es)?|meters?|firms?|"
    r"factor(?:y|ies)|offices?|librar(?:y|ies)|plants?|vehicles?|universit(?:y|ies)|homes?|stores?|"
    r"participants?(?!\s+of\s+the\s+(?:study|trial))|households?|handsets?|tablets?|stations?|farms?|museums?|labs?|parties|party)"
)
_NOUNS: dict[Unit, str] = {"sample": SAMPLE, "person": PERSON, "client": _CLIENT}

#: Ways of naming a unit, with the weight of each; ``{}`` is one of its nouns.
_FORMS = (
    (3.0, r"{}(?:'s)?[-\s]+level\b"),
    (3.0, r"\bper[-\s]+{}\b"),
    (3.0, r"\b{}\s+by\s+{}\b"),
    (3.0, r"\b(?:one|each|every|an?)\s+{}\s+(?:is|counts\s+as)\s+(?:one|the|an?)\s+"
          r"(?:privacy\s+)?unit\b"),
    (2.0, r"\b(?:guarantee\w*|protect\w*|privacy|count\w*)\s+by\s+(?:the\s+)?{}\b"),
    (3.0, r"\b(?:level|granularity|unit)(?:\s+of\s+(?:dp|privacy|protection))?\s*"
          r"(?:=|:|\bof\b|\bis\b|\bbeing\b)\s*(?:the\s+|an?\s+|one\s+|each\s+|"
          r"every\s+|single\s+|individual\s+)*{}\b"),
    (3.0, r"\b(?:adding|removing|adding\s+or\s+removing|add|remove|replac\w+|substitut\w+|"
          r"chang\w+)\s+(?:one|an?|any|a\s+single)\s+(?:\([^)]{{0,12}}\)\s+|\w+\s+)?{}\b"),
    (2.0, r"\b(?:each|every|any|one|an?|the)\s+(?:(?:single|individual|participating|whole|entire"
          r"|one|particular|certain|given|specific)\s+)+{}\b"),
    (2.0, r"\b(?:individual|single|separate)\s+{}\b"),
    (2.0, r"\b{}\s+as\s+a\s+whole\b"),
    (2.0, r"\b(?:whether|which|what|that)\s+(?:an?\s+|the\s+|one\s+)?(?:single\s+)?{}\s+"
          r"(?:took\s+part|joined|participat\w+|was\s+(?:in|used)|is\s+in|belong\w*)"),
    (1.5, r"\b(?:protect\w*|hides?|hide|conceal\w*|cover\w*|for|of)\s+(?:each|every|all|the\s+"
          r"individual|any)\s+{}\b"),
    (1.5, r"\b(?:protect\w*|hides?|cover\w*)\s+the\s+{}\b"),
    (2.0, r"\b(?:promised|owed|due|given|granted)\s+to\s+(?:the|each|every|all)\s+{}\b"),
    (2.0, r"\bgiv(?:e|es|ing)\s+(?:the|each|every|all)\s+{}\b"),
    (2.5, r"\b(?:each|every|any|no|an?)\s+{}\s+(?:can|could|may|is\s+able\s+to)\s+(?:\w+\s+)?"
          r"deny\b"),
    (2.0, r"\b{}\s+each\s+(?:gets?|has|have|needs?|deserves?)\b"),
    (3.0, r"\bdiffer\w*\s+(?:in|by)\s+(?:only\s+|just\s+|exactly\s+|at\s+most\s+)?"
          r"(?:one|an?|a\s+single)\s+(?:\w+\s+)?{}\b"),
    (2.5, r"\b{}\s+(?:one\s+(?:at\s+a\s+time|by\s+one)|individually|separately|singly|by\s+itself|"
          r"by\s+themselves|on\s+(?:its|their)\s+own)\b"),
    (1.5, r"\b(?:each|every|any)\s+(?:\w+\s+)?{}\b(?=.{{0,60}}\b(?:gets?|deserves?|receives?|"
          r"is\s+given|needs?|must\s+have|is\s+entitled|has\s+a\s+(?:right|guarantee))\b)"),
    (1.5, r"\b{}\b(?=[^.;]{{0,30}}\bneeds?\s+(?:hiding|protect\w+|to\s+be\s+"
          r"(?:hidden|protected)))"),
    (1.5, r"\b(?:each|every|one)\s+{}\b(?=.{{0,60}}\b(?:protected|enjoys?|hidden|covered|inferable|"
          r"inferred|singled|training\s+data)\b)"),
    (1.5, r"\b(?:an?|one|no)\s+{}\b(?=.{{0,40}}\b(?:cannot|can\s+not|can't|singled|identified|"
          r"recognised|recognized)\b)"),
)  # fmt: skip
#: The unit that is said not to be meant: "not client-level but", "rather than per image".
_REJECTED = re.compile(
    r"\b(?:not|never|instead\s+of|rather\s+than|no|don't\s+(?:do|make)\s+it)\s+(?:to\s+|for\s+|the\s+|just\s+|only\s+|at\s+the\s+|single\s+)*"
    r"(?P<unit>(?:per[-\s]+)?[\w-]+(?:[-\s]level)?)|(?P<before>[\w-]+)[-\s]level\s+(?:privacy\s+|"
    r"protection\s+)?(?:is|would\s+be)\s+not\s+enough",
    re.IGNORECASE,
)
_SAME_PERSON = re.compile(
    r"\bwhether\s+(?:some(?:body|one)|any(?:body|one))\b|\b(?:mrs?|ms|miss|dr)\.?\s+\w+\b|\bwhoever\s+(?:was|is)\b"
    r"|\b" + PERSON + r"\s+(?:who\s+|may\s+)?(?:ha(?:s|ve|d)|appears?|occurs?|gave|contributed)"
    r"\s+(?:in\s+)?(?:several|many|multiple|more\s+than\s+one)\b"
    r"|\ball\s+(?:of\s+)?(?:an?|one|each|the)\s+" + PERSON + r"'s\s"
    r"|\b(?:all|everything)\b[^.;]{0,25}\b(?:of|from|by|about|that)\s+(?:an?|one|any|each|every|a"
    r"\s+single)\s+(?:\w+\s+)?" + PERSON + r"\b(?!-)"
    r"|\b(?:all|everything)\b[^.;]{0,25}\b(?:by|of|from)\s+(?:one|any|each)\s+of\s+"
    r"(?:its|the|our|their)\s+" + PERSON
    + r"|\ball\b[^.;]{0,25}\b(?:that|this)\s+" + PERSON + r"\b(?!-)"
    r"|\b(?:entire|whole|complete|full)\s+\w+(?:\s+\w+)?\s+of\s+(?:an?|one|any|each|every)\s+"
    + PERSON + r"\b|\b" + PERSON + r"\b[^.;]{0,40}\ball\s+(?:of\s+)?(?:his|her|their)\b"
    r"|\bgroup\w*\b[^.;]{0,30}\bby\s+(?:the\s+)?" + PERSON
    + r"\b|\b(?:however|no\s+matter\s+how|regardless\s+of\s+how)\s+(?:many|often)\b"
    r"[^.;]{0,40}\b(?:he|she|they)\b"
    r"|\b" + PERSON + r"'s\s+(?:entire|whole|complete|full)\b"
    r"|\beverything\s+(?:an?|one|any|each|every)\s+(?:\w+\s+)?" + PERSON + r"\b"
    r"|\b" + PERSON + r"\s+(?:together\s+)?with\s+(?:all|every)\b"
    r"|\b" + PERSON + r",?\s+(?:whatever|regardless\s+of|no\s+matter|however)\b"
    r"|\b" + PERSON + r"\b[^.;]{0,40}\b(?:many|several|multiple|\w+teen|\w+ty|\d+|two|three|four|"
    r"five|six|seven|eight|nine|ten|eleven|twelve)\s+times\b"
    r"|\b(?:one|the|a)\s+(?:and\s+the\s+)?(?:same|single|one)\s+" + PERSON
    + r"|\bone\s+" + PERSON + r"'s\s+(?:data|samples|pictures|images|records)",
    re.IGNORECASE,
)  # fmt: skip
#: Each client belongs to one person or household, so that protecting it protects them.
_OWN_CLIENT = re.compile(
    r"\b(?:each|every|one)\s+" + _CLIENT + r"\s+(?:is|belongs\s+to|has|means)\s+(?:only\s+)?(?:one|"
    r"an?|a\s+single)\s+" + PERSON + r"|\beach\s+\w+\s+is\s+a\s+client\b",
    re.IGNORECASE,
)  # fmt: skip
#: Samples that are protected apart, even if they come from the same person.
_COUNTED_APART = re.compile(
    r"\b" + SAMPLE + r"\b.{0,90}\b(?:same|one)\s+" + PERSON + r"\b.{0,40}\b(?:one\s+by\s+one|"
    r"separately|individually|apart|on\s+(?:its|their)\s+own)\b",
    re.IGNORECASE,
)  # fmt: skip
_TECHNIQUE = re.compile(r"\bdp-?\s?sgd\b|\bper-sample\s+gradients?\b", re.IGNORECASE)
_AS_A_WHOLE = re.compile(r"\b" + _CLIENT + r"\s+as\s+a\s+whole\b", re.IGNORECASE)
_WHOLE_CLIENT = re.compile(
    r"\b(?:whole|entire)\s+(?:data(?:\s*sets?)?\s+of\s+(?:an?|each|every|the)\s+)?" + _CLIENT
    + r"|\b" + _CLIENT + r"'s\s+(?:whole|entire)\s+data",
    re.IGNORECASE,
)  # fmt: skip


#: Two units that are both to be protected.
_BOTH = re.compile(
    r"\b(?:both\s+)?(?:the|each|every|any|an?|per)[-\s]+(?:(?:single|individual|whole)\s+)?"
    r"(?P<one>[\w-]+)\s+(?:and|as\s+well\s+as|plus)\s+(?:also\s+)?(?:the|each|every|any|an?|per)[-\s]+"
    r"(?:(?:single|individual|whole)\s+)?(?P<other>[\w-]+)\b",
    re.IGNORECASE,
)
#: Whom it need not protect.
_SPARED = re.compile(
    r"\b(?P<unit>[\w-]+)(?:\s+with\s+[^.;,]{1,30}?)?\s+(?:need\s+not|needn't|(?:do|does)\s+not\s+(?:need|have)\s+to|(?:do|does)n't\s+"
    r"(?:need|have)\s+to)\s+be\s+(?:hidden|protected|covered)\w*(?:\s+as\s+(?:a\s+whole|such))?"
    r"|\b(?P<pointless>[\w-]+)\s+(?:is|are)(?:n't|\s+not)\s+(?:the\s+(?:point|issue|aim|goal)|needed|"
    r"necessary)\b"
    r"|\b(?P<public>[\w-]+)\s+(?:are|is)\s+(?:all\s+)?(?:public|known)\b(?:\s+anyway)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class StatedUnit:
    """What differential privacy is to protect.

    Attributes:
        unit: The unit; ``client``, which protects most, if the words name none.
        words: The words that name it; empty if none do.
    """

    unit: Unit
    words: str


def read_unit(text: str) -> StatedUnit:
    """Read the unit of privacy. If the words ask for several, the strongest of them counts."""
    text = " ".join(sentences(text))
    if own := _OWN_CLIENT.search(text):
        return StatedUnit("client", own[0])
    if whole := _WHOLE_CLIENT.search(text):
        return StatedUnit("client", whole[0])
    kept, rejected = _split_rejected(text)
    if apart := _COUNTED_APART.search(kept):
        return StatedUnit("sample", apart[0])
    if same := _SAME_PERSON.search(kept):
        stronger = _AS_A_WHOLE.search(kept)
        return StatedUnit("client", stronger[0]) if stronger else StatedUnit("person", same[0])
    if both := _both(kept):
        return both
    scores: dict[Unit, tuple[float, str]] = {}
    for unit, noun in _NOUNS.items():
        for weight, form in _FORMS:
            match = re.search(form.replace("{}", noun).replace("{{", "{").replace("}}", "}"), kept,
                              re.IGNORECASE)  # fmt: skip
            if match and weight > scores.get(unit, (0.0, ""))[0]:
                scores[unit] = (weight, match[0])
    scores = {unit: score for unit, score in scores.items() if unit not in rejected}
    if scores:
        best = max(weight for weight, _ in scores.values())
        unit = [each for each in UNITS if scores.get(each, (0.0, ""))[0] == best][-1]
        return StatedUnit(unit, scores[unit][1])
    technique = _TECHNIQUE.search(text)
    return StatedUnit("sample", technique[0]) if technique else StatedUnit("client", "")


def _both(text: str) -> StatedUnit | None:
    """Read the stronger of two units that are both asked for."""
    match = _BOTH.search(text)
    if match is None:
        return None
    named = [
        [u for u in UNITS if re.fullmatch(_NOUNS[u], match[n], re.I)] for n in ("one", "other")
    ]
    if not all(named):
        return None
    return StatedUnit(max((each[-1] for each in named), key=UNITS.index), match[0])


def _split_rejected(text: str) -> tuple[str, set[Unit]]:
    """Remove units that are said not to be meant; return the rest of the text, and them."""
    rejected: set[Unit] = set()

    def cut(match: re.Match[str]) -> str:
        words = next(each for each in match.groups() if each)
        for unit, noun in _NOUNS.items():
            if re.search(rf"\b{noun}\b", words, re.IGNORECASE):
                rejected.add(unit)
                return " "
        return match[0]

    return _SPARED.sub(cut, _REJECTED.sub(cut, text)), rejected
