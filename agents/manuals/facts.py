"""Validates facts before a card is made from them, whichever extractor read them."""

from __future__ import annotations

from edgewright.agents.manuals.draft import Fact, is_quoted_from
from edgewright.agents.manuals.findings import designations, is_command, limits, named_interfaces
from edgewright.agents.manuals.vocabulary import quantities, units
from edgewright.tools.manuals.manual import Manual

ACCURACY = "accuracy of "


def fault(fact: Fact, manual: Manual) -> str:
    """Return what is wrong with a fact, for a person or a model; empty if it is valid.

    Args:
        fact: The fact.
        manual: The manual that it quotes.
    """
    if not is_quoted_from(fact, manual):
        where = f"page {fact.page}, line {fact.line}" if fact.page else f"line {fact.line}"
        return f"the quotation of {fact.value!r} is not in {where}, word for word"
    if is_command(fact.quote):
        return f"the quotation of {fact.value!r} is an instruction, not a fact"
    if fact.field == "device":
        valid = fact.value in designations(fact.quote)
    elif fact.field == "senses":
        valid = fact.value in quantities()
    elif fact.field == "interface":
        valid = fact.value in named_interfaces(fact.quote)
    elif fact.field == "unit":
        valid = fact.about in quantities() and _names_unit(fact)
    else:
        valid = _has_subject(fact) and fact.value in {limit.text for limit in limits(fact.quote)}
    return "" if valid else f"{fact.field} {fact.value!r} cannot be read from {fact.quote!r}"


def _names_unit(fact: Fact) -> bool:
    spellings = (fact.value, *units().get(fact.value, ()))
    known = fact.value in quantities()[fact.about].units
    return known and any(each in fact.quote for each in spellings)


def _has_subject(fact: Fact) -> bool:
    quantity = fact.about.removeprefix(ACCURACY)
    return quantity in quantities() or fact.about in ("supply", "operation")
