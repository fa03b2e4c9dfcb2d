"""Words that deny or withdraw what they speak of."""

from __future__ import annotations

import re

#: What leaves out the thing that was spoken of.
_LEFT_OUT = (
    r"\b(?:leave|left)\s+(?:it|that|this|(?:the|any)\s+(?:\w+\s+){1,3}?)\s*out\s*(?:[.;!,]|$)"
    r"|\bdropped\s+it\b|\b(?:do|go|manage)\s+without(?:\s+it)?\s*(?:[.;!,]|$)"
)
#: What states that there is nothing to hold.
DISMISSED = re.compile(
    r"\bout\s+of\s+(?:the\s+)?scope\b|\bnot\s+in\s+scope\b|\bbeyond\s+(?:the\s+|our\s+)?scope\b"
    r"|\bno\s+(?:concern|issue|problem|worry|topic)\b|\bnot\s+(?:a|an)\s+(?:concern|issue|topic)\b"
    r"|\b(?:is|are)\s+irrelevant\b|\bneed\s+not\s+be\s+(?:considered|handled|tolerated)\b"
    r"|\b(?:ignore|disregard|skip|forget|leave\s+out|never\s+mind)\s+(?:about\s+|any\s+|the\s+)?"
    r"(?:robust\w*|attack\w*|byzantine|hostile|malicious|adversar\w*|(?:differential\s+)?privacy|dp\b)"
    r"|"
    + _LEFT_OUT
    + r"|\b(?:decided|advised|voted)\s+against\b|\bopted\s+out\b|\bruled\s+(?:it\s+|that\s+)?out\b"
    r"|\bcan\s+be\s+ignored\b|\bdoes(?:\s+not|n't)\s+matter\b",
    re.IGNORECASE,
)
#: What says that something is not so.
DENIED = re.compile(
    r"\b(?:none\s+of|nobody|no\s+one|no\s+(?:attackers?|client|participant|node)s?|neither|never|"
    r"without|(?:is|are|be)\s+not|(?:is|are)n't)\b",
    re.IGNORECASE,
)
