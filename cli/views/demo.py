"""How the demo looks: each answer with its cost and the choice behind it, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from edgewright.agents.responder.layout import APPROXIMATE
from edgewright.cli.views.cost import cost_line, places
from edgewright.tools.units import joules, seconds, size

if TYPE_CHECKING:
    from edgewright.agents.planner.plan import Plan
    from edgewright.graphs.assistant.session import Reply

_INDENT = (0, 0, 0, 3)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A request of the demo and what came of it.

    Attributes:
        text: The request.
        reply: The reply.
        wall_s: How long it took.
    """

    text: str
    reply: Reply
    wall_s: float


def request_view(number: int, text: str, image: str) -> RenderableType:
    """Show a request before it is answered."""
    return Text.assemble("\n", (f"{number}. {text}", "bold"), (f"  {image}", "cyan"))


def answer_view(answered: Answered, *, noted: bool = False) -> RenderableType:
    """Show an answer, its cost, the plan and why each task ran where it did.

    Args:
        answered: The request and its reply.
        noted: Whether an earlier answer has explained what approximate means.
    """
    reply = answered.reply
    answer = reply.answer.partition(f"\n{APPROXIMATE}")[0] if noted else reply.answer
    succeeded = any(result.status == "ok" for result in reply.results)
    details = Table.grid(padding=(0, 2))
    details.add_row("plan", Text(plan_line(reply.plan), "dim"))
    for reason in dict.fromkeys(decision.reason for decision in reply.decisions.values()):
        details.add_row("why", Text(reason, "dim"))
    return Group(
        Padding(Text(answer, "green" if succeeded else "yellow"), _INDENT),
        Padding(Text(cost_line(reply.results, reply.decisions, answered.wall_s)), _INDENT),
        Padding(details, _INDENT),
    )


def plan_line(plan: Plan) -> str:
    """Return a plan in one line, e.g. ``a + b → c`` if ``c`` follows ``a`` and ``b``.

    Args:
        plan: The plan; a task stands after those that it depends on.
    """
    depths: dict[str, int] = {}
    steps: dict[int, list[str]] = {}
    for task in plan.tasks:
        depth = 1 + max((depths[one] for one in task.depends_on), default=-1)
        depths[task.id] = depth
        steps.setdefault(depth, []).append(task.tool)
    return " → ".join(" + ".join(steps[depth]) for depth in sorted(steps))


def summary_view(answers: Sequence[Answered], title: str) -> RenderableType:
    """Show what each request cost, and all of them together.

    Args:
        answers: The requests with their replies.
        title: Under which conditions.
    """
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim",
        box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True, expand=True,
    )  # fmt: skip
    table.add_column("request", no_wrap=True, ratio=1)
    table.add_column("where it ran", no_wrap=True)
    for name in ("time", "sent up", "energy"):
        table.add_column(name, no_wrap=True, justify="right")
    total_s, total_bytes, total_j = 0.0, 0, 0.0
    for number, answered in enumerate(answers, start=1):
        results, decisions = answered.reply.results, answered.reply.decisions
        reports = [result.report for result in results if result.report is not None]
        sent = sum(report.bytes_up for report in reports)
        energy_j = sum(report.energy_j for report in reports)
        where = places(results, decisions).replace("on the ", "") or "nothing was run"
        row = [f"{number}. {answered.text}", where, seconds(answered.wall_s)]
        table.add_row(*map(Text, [*row, size(sent), joules(energy_j) if energy_j else ""]))
        total_s += answered.wall_s
        total_bytes += sent
        total_j += energy_j
    totals = ("together", "", seconds(total_s), size(total_bytes), joules(total_j))
    for column, total in zip(table.columns, totals, strict=True):
        column.footer = total
    return table
