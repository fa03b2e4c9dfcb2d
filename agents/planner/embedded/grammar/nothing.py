"""The ways to say that on a condition nothing is done: "say nothing more", "that's enough"."""

from __future__ import annotations

from edgewright.agents.planner.embedded.grammar.lexicon import any_of

#: Stands for a request to do nothing.
NOTHING = "\u2205"

_NOT = r"(?:do\s+not|don't|dont|never)"
_MORE = r"(?:\s+(?:more|else|further|at\s+all|then|please|about\s+(?:it|that|this)))*"
_ANY = r"(?:anything|any\s?more|a\s+(?:single\s+)?(?:word|thing)|it|one|that|more)"
#: Orders and wishes that need no comma before them.
LEAVE = (
    r"(?:(?:please|just|then|simply)\s+)*(?:"
    rf"{_NOT}\s+(?:bother|worry|reply|answer|(?:\w+\s+){{1,3}}?(?:anything|a\s+(?:word|thing)|any\s?more){_MORE}"
    r"|do\s+(?:it|that|so)|(?:describe|caption|classify|tell|say)(?:\s+(?:it|that|this|me))?"
    r"(?=\s*[,.;]\s*(?:and\s+|but\s+)?(?:if|when|otherwise|else)\b))"
    rf"|(?:do|say|write|send|(?:tell|give)\s+me)\s+nothing{_MORE}"
    r"|skip(?:\s+(?:it|this|that))?|leave\s+(?:it|that|this)(?:\s+(?:be|out|alone|at\s+that))?"
    r"|forget\s+(?:about\s+)?(?:it|that)|never\s?mind|ignore\s+(?:it|this|that)"
    r"|(?:there(?:'s|\s+is)\s+)?no\s+need(?:\s+(?:to|for)\s+[^,.;!?]+?)?"
    rf"|(?:i|we|he|she|they)\s+(?:{_NOT}|does\s+not|doesn't|won't|needn't|wouldn't)\s+"
    rf"(?:care|mind|bother|(?:need|want|have|wish|like)\s+(?:to\s+(?:know|hear|see|have)\s+)?{_ANY}\b(?:\s+(?!but\b|just\b|only\b)\w+){{0,4}}?)"
    rf"|(?:i|we|he|she|they)\s+(?:needs?|wants?|requires?)\s+nothing{_MORE}"
    rf"|(?<=n't\s)no\s+{any_of('task_noun')}"
    r"|that(?:'s|s|\s+is)\s+(?:enough|fine|ok|okay|all|good)(?:\s+(?:for|by|with)\s+(?:me|us))?"
    r"|(?:you\s+)?(?:may|can)\s+(?:leave|skip|ignore)\s+it)"
)
_QUIET = (
    rf"(?:please\s+)?(?:{_NOT}|nothing{_MORE}(?:\s+(?:(?:is\s+)?(?:needed|required|necessary)|to\s+do))?"
    rf"|no\s+{any_of('task_noun')}(?=\s*[,.;]\s*(?:and\s+|but\s+)?(?:if|when|otherwise|else)\b)"
    r"|there(?:'s|\s+is)\s+nothing\s+to\s+\w+|(?:no(?:\s+further)?\s+(?:action|reply|answer|response|comment|output|text|work)|none(?:\s+of\s+(?:my|our)\s+\w+)?)"
    r"(?:\s+(?:is\s+)?(?:needed|required|necessary))?|pass|stop(?:\s+there)?|no\s+(?:worries|problem)"
    r"|(?:it(?:'s|\s+is)\s+)?not\s+worth\s+\w+(?:\s+\w+)?"
    r"|(?:(?:that|it|this|all|everything|we|i|you)(?:'s|'re|'m|s|\s+(?:is|are|am))\s+)?(?:all\s+|quite\s+|perfectly\s+)?"
    r"(?:fine|ok|okay|good|well|enough|sufficient|happy|done|finished|all\s+right|alright|great)"
    r"(?:\s+(?:for|by|with)\s+(?:me|us|you))?(?!\s*,\s*(?:then|so)\b)|that(?:'s|s|\s+is)\s+(?:all|it))"
)
#: What requests nothing after a comma, a colon or an arrow.
QUIET = rf"(?:(?:{LEAVE}|{_QUIET})(?:\s*,\s*(?={LEAVE}|{_QUIET}))?)+"
#: Follows what requests nothing.
NO_MORE = r"(?=\s*(?:[.;,!)]|$|\s(?:and|but|or|if|otherwise|else)\b))"
