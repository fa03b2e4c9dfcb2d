"""What is counted in requests for training: clients, what they hold, and units of training."""

from __future__ import annotations

import re

#: What samples, persons and clients are called where privacy is spoken of.
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
CLIENT = (
    r"(?:clients?|hospitals?|sites?|institutions?|clinics?|banks?|devices?|phones?|organi[sz]ations?"
    r"|compan(?:y|ies)|silos?|nodes?|owners?|partners?|schools?|shops?|branch(?:es)?|meters?|firms?|"
    r"factor(?:y|ies)|offices?|librar(?:y|ies)|plants?|vehicles?|universit(?:y|ies)|homes?|stores?|"
    r"participants?(?!\s+of\s+the\s+(?:study|trial))|households?|handsets?|tablets?|stations?|farms?|museums?|labs?|parties|party)"
)
#: What clients are called.
OWNERS = re.compile(
    r"(?:client|clinic|hospital|school|shop|store|site|device|phone|partner|owner|compan(?:y|ie)|"
    r"branch(?:e)?|factor(?:y|ie)|farm|bank|office|user|participant|member|node|board|camera|"
    r"station|department|universit(?:y|ie)|librar(?:y|ie)|museum|plant|part(?:y|ie)|sensor|worker|"
    r"machine|peer|contributor|tablet|handset|meter|robot|drone|gateway|vehicle|car|supplier|"
    r"dealer|firm|institution|organi[sz]ation|lab|laborator(?:y|ie))s?",
    re.IGNORECASE,
)
#: What data are counted in.
DATA = re.compile(
    rf"{SAMPLE}|{PERSON}|class(?:es)?|categor(?:y|ies)|kinds?|types?|sorts?|species|variet(?:y|ies)|labels?"
    r"|groups?|breeds?|brands?|styles?|colou?rs?|digits?|numerals?|symbols?|signs?|pixels?|px|dpi|channels?"
    r"|faces?|parts?|objects?|cells?|patterns?|findings?|grades?|zeros|ones|twos|sevens|nines",
    re.IGNORECASE,
)
#: What is counted and is neither: units, and what training consists of.
_OTHERS = re.compile(
    r"(?:time|second|minute|hour|day|week|month|year|evening|night|morning|decade|centurie|euro|dollar|cent"
    r"|pound|degree|watt|volt|joule|met(?:re|er)|mile|\w*(?:bit|byte)|round|epoch|passe|layer|neuron|filter"
    r"|batche|step|iteration|seed|trial|attempt|gpu|core|thread|fold|model|weight|parameter|update|message"
    r"|packet|attacker|tab|menu|other)s",
    re.IGNORECASE,
)
#: Words between what is counted and what is not.
_SMALL_WORDS = (
    "of in on at with and or to the a an each per that which who are is was were have has had for "
    "by from them , . ; : ( ) / %"
)
SMALL = frozenset(_SMALL_WORDS.split())


def counted(following: list[str]) -> str:
    """Return the noun in the plural that a number counts; empty if it counts none.

    Args:
        following: The words after the number, in lower case.
    """
    for word in [each for each in following if each != "-"][:4]:
        if word in SMALL:
            return ""
        if word.isalpha() and re.search(r"(?:[^su]|eau)s$", word) and len(word) > 3:
            return word
    return ""


def may_own_data(noun: str) -> bool:
    """Return whether a noun in the plural may name clients: "grocers", but not "minutes"."""
    return bool(noun) and not DATA.fullmatch(noun) and not _OTHERS.fullmatch(noun)
