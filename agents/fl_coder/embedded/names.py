"""What people call strategies, parts of a design, and constraints, in remarks on a proposal."""

from __future__ import annotations

import re

from edgewright.agents.fl_coder.constraints.classifier import Kind

#: What people call each strategy and part; the names of the literature.
NAMES: dict[str, re.Pattern[str]] = {
    "multi-krum": re.compile(r"\bmulti[\s-]?krum\b", re.IGNORECASE),
    "krum": re.compile(r"(?<!multi)(?<!multi[\s-])\bkrum\b", re.IGNORECASE),
    "trimmed-mean": re.compile(r"\btrimm?(?:ed|ing)[\s-]*(?:mean)?\b", re.IGNORECASE),
    "median": re.compile(r"\bmedian\b", re.IGNORECASE),
    "fedprox": re.compile(r"\bfed[\s-]?prox\b|\bproximal\b", re.IGNORECASE),
    "fedavgm": re.compile(r"\bfed[\s-]?avg[\s-]?m\b|\bmomentum\b", re.IGNORECASE),
    "fedadam": re.compile(r"\bfed[\s-]?adam\b", re.IGNORECASE),
    "fedyogi": re.compile(r"\bfed[\s-]?yogi\b", re.IGNORECASE),
    "feddyn": re.compile(r"\bfed[\s-]?dyn\b", re.IGNORECASE),
    # Written small, it may be what stands around a building.
    "scaffold": re.compile(
        r"\bSCAFFOLD\b|(?<!\ba )(?<!\bof )\b[Ss]caffold\b(?=\s*(?:$|[.,;!?])|\s+(?:strategy|method"
        r"|algorithm|aggregation|with|and|for)\b)|\bcontrol\s+variates?\b"
    ),
    "fedavg": re.compile(r"\bfed[\s-]?avg\b(?![\s-]?m\b)|\bfederated\s+averaging\b", re.IGNORECASE),
    "int8": re.compile(r"\b(?:int8|8[\s-]bit|quanti[sz]\w+)\b", re.IGNORECASE),
    "top-k": re.compile(r"\btop[\s-]?k\b|\bsparsif\w+", re.IGNORECASE),
    "compression": re.compile(r"\bcompress\w*", re.IGNORECASE),
    "personal heads": re.compile(r"\bpersonal(?:i[sz]\w+)?\b(?:\s+heads?)?", re.IGNORECASE),
    "augmentation": re.compile(r"\baugment\w*", re.IGNORECASE),
    "label smoothing": re.compile(r"\bsmooth\w*", re.IGNORECASE),
}  # fmt: skip
#: Parts of a candidate that are not aggregation strategies.
PARTS = ("int8", "top-k", "compression", "personal heads", "augmentation", "label smoothing")
#: What each constraint is about.
SUBJECTS: dict[Kind, str] = {
    "skew": "clients that differ", "noise": "wrong labels", "weak-devices": "weak devices",
    "thin-links": "thin links", "attackers": "attackers", "privacy": "privacy",
    "personal": "models for each client",
}  # fmt: skip
#: Words for constraints that are shorter than a statement of one.
TOPICS: dict[Kind, re.Pattern[str]] = {
    "weak-devices": re.compile(
        r"\b(?:slow|weak|old|small)\s+(?:\w+\s+)?(?:phones?|devices?|boards?)\b", re.I
    ),
    "thin-links": re.compile(r"\b(?:links?|bandwidth|uploads?|traffic|connections?|bytes)\b", re.I),
    "attackers": re.compile(r"\b(?:attack\w*|hostile|malicious|byzantine|robust\w*)\b", re.I),
    "privacy": re.compile(r"\b(?:privacy|private|epsilon|dp)\b", re.I),
    "noise": re.compile(r"\b(?:wrong|noisy|bad)\s+labels?\b|\blabel\s+noise\b", re.I),
    "skew": re.compile(r"\b(?:skew|differences?|non-?iid)\b", re.I),
    "personal": re.compile(r"\bown\s+models?\b", re.I),
}  # fmt: skip
