"""What a fact has to be before a card is made of it, whoever read it out of the manual."""

from __future__ import annotations

from edgewright.agents.manuals.draft import Fact, stands_in
from edgewright.agents.manuals.findings import designations, is_command, limits, named_interfaces
from edgewright.agents.manuals.vocabulary import quantities, units
from edgewright.tools.manuals.manual import Manual

ACCURACY = "accuracy of "


def fault(fact: Fact, manual: Manual) -> str:
    """Say what is wrong with a fact, for a person or a model; empty if nothing is.

    Args:
        fact: The fact.
        manual: What it is said to come from.
    """
    if not stands_in(fact, manual):
        where = f"page {fact.page}, line {fact.line}" if fact.page else f"line {fact.line}"
        return f"the quotation of {fact.value!r} does not stand in {where}, word for word"
    if is_command(fact.quote):
        return f"the quotation of {fact.value!r} is an instruction, not a fact"
    if fact.field == "device":
        known = fact.value in designations(fact.quote)
    elif fact.field == "senses":
        known = fact.value in quantities()
    elif fact.field == "interface":
        known = fact.value in named_interfaces(fact.quote)
    elif fact.field == "unit":
        known = fact.about in quantities() and _names_unit(fact)
    else:
        known = _has_subject(fact) and fact.value in {limit.text for limit in limits(fact.quote)}
    return "" if known else f"{fact.field} {fact.value!r} cannot be read out of {fact.quote!r}"


def _names_unit(fact: Fact) -> bool:
    written = (fact.value, *units().get(fact.value, ()))
    known = fact.value in quantities()[fact.about].units
    return known and any(each in fact.quote for each in written)


def _has_subject(fact: Fact) -> bool:
    quantity = fact.about.removeprefix(ACCURACY)
    return quantity in quantities() or fact.about in ("supply", "operation")
