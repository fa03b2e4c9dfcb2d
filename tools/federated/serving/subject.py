"""What a model classifies, in words: from the person's purpose, else from the data."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edgewright.tools.vision.asking.nouns import plural

_WHAT = r"(?P<what>[a-z][a-z-]*(?:\s+[a-z][a-z-]*){0,2}?)"
_BOUNDARY = (
    r"(?=\s*(?:[,.;:!?]|$)|\s+(?:and|or|from|with|that|which|who|held|in|on|by|at|for|of|so|but|to|"
    r"taken|are|is|it|were|without|using|we|they|off|as|into)\b)"
)
#: Patterns for the subject of classification in a purpose, most reliable first.
_SUBJECTS = (
    re.compile(
        rf"\b(?:photo(?:graph)?s?|pictures?|images?|scans?|drawings?|shots?)\s+of\s+(?:the\s+|our\s+)?{_WHAT}{_BOUNDARY}"
    ),
    re.compile(rf"\b(?:kind|type|sort)s?\s+of\s+{_WHAT}{_BOUNDARY}"),
    re.compile(
        rf"\b(?:classif(?:y|ies)|recogni[sz]es?|identif(?:y|ies)|sorts?|reads?|labels?)\s+(?:the\s+|our\s+|an?\s+)?{_WHAT}{_BOUNDARY}"
    ),
    re.compile(rf"\bt(?:ell|ells|elling)\s+(?:the\s+|our\s+)?{_WHAT}\s+apart\b"),
    re.compile(
        rf"\b(?:distinguish(?:es|ing)?|separat(?:e|es|ing))\s+(?:the\s+|our\s+|between\s+)?{_WHAT}{_BOUNDARY}"
    ),
    re.compile(r"\b(?P<what>[a-z][a-z-]+)\s+(?:classifier|recogni[sz]er|reader|sorter)\b"),
    re.compile(
        rf"\b(?:photographed|(?:each|all|we|they)\s+photographs?)\s+(?:the\s+|our\s+|their\s+)?{_WHAT}{_BOUNDARY}"
    ),
)
#: Words in the position of a subject that do not name one.
_FILLER_WORDS = frozenset(
    {"it", "them", "this", "what", "image", "picture", "photo", "model", "good", "small", "new",
     "goods", "simple", "single", "common", "joint", "shared", "private", "own", "one", "data",
     "a", "an", "the", "our", "their", "my", "these", "those", "various", "different",
     "many", "some", "all"}
)  # fmt: skip
#: Subjects of purposes that only list the classes, such as "drawings of animals and letters".
_MEDIUM = re.compile(
    r"\b(drawing|sketch|painting|scan|x-ray|micrograph|slide|map|sign|symbol|icon)(?:e?s)?\b"
)
#: Words in the names of folders and files that say nothing about what is in them.
_STORAGE = frozenset({
    "a", "all", "archive", "backup", "classes", "copy", "data", "dataset", "datasets",
    "desktop", "document", "documents", "download", "downloads", "export", "file", "files",
    "final", "folder", "image", "images", "img", "imgs", "input", "labelled", "labeled",
    "labels", "my", "new", "old", "output", "photo", "photos", "pic", "pics", "picture",
    "pictures", "raw", "sample", "samples", "set", "temp", "test", "tmp", "train", "training",
    "upload", "uploads", "val", "validation", "work", "zip"
})  # fmt: skip
_WHOLES = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse",
    "lice": "louse", "dice": "die", "geese": "goose", "feet": "foot", "teeth": "tooth",
    "oxen": "ox", "fungi": "fungus", "cacti": "cactus", "bacteria": "bacterium",
    "larvae": "larva", "algae": "alga", "nuclei": "nucleus", "clothes": "garment",
    "leaves": "leaf", "loaves": "loaf", "wolves": "wolf", "shelves": "shelf", "halves": "half",
    "calves": "calf", "hooves": "hoof", "scarves": "scarf", "knives": "knife", "wives": "wife",
    "buses": "bus", "lenses": "lens", "viruses": "virus", "irises": "iris", "cactuses": "cactus",
    "axes": "axe", "quizzes": "quiz", "shoes": "shoe", "toes": "toe", "canoes": "canoe",
    "moustaches": "moustache", "movies": "movie", "cookies": "cookie", "brownies": "brownie",
    "zombies": "zombie", "hoodies": "hoodie", "pixies": "pixie",
}  # fmt: skip
#: Words that have one form, and words for what is not counted.
_UNCHANGED = frozenset({
    "species", "series", "sheep", "fish", "deer", "aircraft", "spacecraft", "goods",
    "clothing", "fruit", "wood", "waste", "rubbish", "litter", "furniture", "handwriting",
    "equipment", "food", "produce", "bread", "cheese", "rice", "jewellery", "jewelry",
    "footwear", "laundry", "mail", "skin", "tissue", "soil", "grass", "glass", "metal",
    "paper", "plastic", "pasta", "meat", "wheat", "maize", "corn", "coffee", "tea", "lego",
    "gas"
})  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """What a model classifies.

    Attributes:
        singular: "handwritten digit".
        plural: "handwritten digits".
        name: Words for the name of its card; usually the singular.
        others: Other words for it, such as "number".
    """

    singular: str
    plural: str
    name: str
    others: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """The noun alone: "digit"."""
        return self.singular.split()[-1]


#: The subjects of the data sets with a name.
_KNOWN = {
    "digits": Subject(
        "handwritten digit", "handwritten digits", "handwritten digit", ("number", "numeral")
    ),
    "fashion-mnist": Subject(
        "garment", "garments", "garment", ("clothes", "piece of clothing", "item of clothing")
    ),
    "elpv": Subject("solar cell", "solar cells", "solar cell", ("photovoltaic cell",)),
}


def find_subject(purpose: str, data_name: str, classes: Sequence[str] = ()) -> Subject:
    """Return what a model for a purpose classifies.

    A data set with a name is what it is, whatever the purpose says.

    Args:
        purpose: The person's description of the purpose.
        data_name: Name of the data, which may be that of a folder.
        classes: Names of the classes.
    """
    known = _KNOWN.get(data_name)
    said = subject_of(purpose, classes)
    if known is not None:
        same_thing = {known.head, *(other.split()[-1] for other in known.others), "garment"}
        if said and said.split()[-1] in same_thing:
            return Subject(said, _many(said, purpose), said, known.others)
        return known
    if said:
        others = ("clothes",) if said.endswith("garment") else ()
        return Subject(said, _many(said, purpose), said, others)
    words = [word for word in _words(data_name) if word not in _STORAGE and not _is_code(word)]
    if words:
        named = " ".join([*words[:-1], singular(words[-1])])
        return Subject(named, _many(named, " ".join(words)), named)
    return Subject("picture", "pictures", " ".join([*classes[:3], "picture"]))


def subject_of(purpose: str, classes: Collection[str] = ()) -> str:
    """Return the subject of classification in the singular: "photos of digits" gives "digit".

    Args:
        purpose: The person's description of the purpose.
        classes: Names of the classes, which are not subjects themselves.

    Returns:
        The subject; empty if the purpose names none.
    """
    text = " ".join(purpose.lower().split())
    class_words = {singular(name.lower()) for name in classes}
    for pattern in _SUBJECTS:
        for found in pattern.finditer(text):
            words = [word for word in found["what"].split() if word not in _FILLER_WORDS]
            if words and singular(words[-1]) not in class_words:
                return " ".join([*words[:-1], singular(words[-1])])
    medium = _MEDIUM.search(text)
    return medium[1] if medium else ""


def singular(word: str) -> str:
    """Return the singular of a noun in lower case."""
    if word in _WHOLES or word in _UNCHANGED:
        return _WHOLES.get(word, word)
    if word.endswith("men"):
        return word[:-2] + "an"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "oes", "uses")) and word != "houses":
        return word[:-1] if word.endswith(("ouses", "auses")) else word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _many(subject: str, text: str) -> str:
    """Return the plural of a subject, in the person's own form if the text has one."""
    before, _, last = subject.rpartition(" ")
    said = [word for word in _words(text) if singular(word) == last and word != last]
    if last in _UNCHANGED:
        many = last
    elif said and said[0] != "clothes":
        many = said[0]
    else:
        many = next(
            (form for form, one in _WHOLES.items() if one == last and form != "clothes"), ""
        )
        many = many or plural(last)
    return f"{before} {many}".strip()


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).split()


def _is_code(word: str) -> bool:
    """Return whether a word of a name is a number, a date or a digest."""
    return word.isdecimal() or (len(word) >= 6 and re.fullmatch(r"[0-9a-f]+", word) is not None)
