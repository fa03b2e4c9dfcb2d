"""How plans, decisions, cost reports and cards look on a terminal: data in, rich renderables out.

Texts of people, models and other nodes are put in as ``Text``, never as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from edgewright.agents.planner.plan import Plan
    from edgewright.agents.responder.result import TaskResult
    from edgewright.tools.contracts.arms import Decision, Forecast
    from edgewright.tools.contracts.cost_report import CostReport
    from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile
    from edgewright.tools.contracts.views import CardView

_COLOURS = {
    "ok": "green",
    "refused": "yellow",
    "unavailable": "yellow",
    "error": "red",
    "skipped": "dim",
}


def plan_table(plan: Plan, names: Mapping[str, str] | None = None) -> RenderableType:
    """Show the steps of a plan.

    Args:
        plan: The plan.
        names: The images' file names, by ``ImageRef.uri``.
    """
    title = f"plan by the {plan.planner} planner, confidence {plan.confidence:.2f}"
    table = _table(title, "task", "card", "arguments", "after")
    for task in plan.tasks:
        args = ", ".join(
            f"{name}={(names or {}).get(value, _short(value))}" for name, value in task.args.items()
        )
        condition = [f"if {task.when.wording}"] if task.when else []
        after = ", ".join([*task.depends_on, *condition])
        table.add_row(Text(task.id), Text(task.tool), Text(args), Text(after))
    parts: list[RenderableType] = [table] if plan.tasks else [Text("plan: nothing to run")]
    if plan.needs:
        parts.append(Text(f"missing: {', '.join(plan.needs)}", style="yellow"))
    if plan.reason:
        parts.append(Text(plan.reason, style="dim"))
    return Group(*parts)


def decision_view(task_id: str, decision: Decision) -> RenderableType:
    """Show the arm chosen for a task, the reason, and a forecast for the best arm of each kind.

    Args:
        task_id: The task.
        decision: The decision.
    """
    chosen = Text.assemble((task_id, "bold"), " runs ", (decision.arm.label, "bold cyan"))
    reason = Text(decision.reason, style="dim")
    if not decision.forecasts:
        return chosen + Text(": ") + reason
    table = _table("expected cost", "arm", "expected ms", "bytes up", "note")
    best: dict[tuple[str, str | None], Forecast] = {}
    for forecast in decision.forecasts:
        best.setdefault((forecast.arm.kind, forecast.arm.image_codec), forecast)
    for forecast in best.values():
        style = "bold" if forecast.arm == decision.arm else ""
        table.add_row(*_forecast(forecast), style=style)
    hidden = len(decision.forecasts) - len(best)
    if hidden:
        table.caption = f"the best of each kind; {hidden} more were compared"
    return Group(chosen, reason, table)


def cost_table(results: Sequence[TaskResult]) -> RenderableType:
    """Show the cost report of each task: arm, nodes, bytes, milliseconds by stage, fallbacks."""
    table = _table("cost", "task", "status", "arm", "nodes", "up B", "down B", "ms")
    notes: list[RenderableType] = []
    for result in results:
        status = Text(result.status, style=_COLOURS[result.status])
        report = result.report
        if report is None:
            ran = "" if result.error is None else "not run"
            table.add_row(result.task_id, status, ran, "", "", "", "")
        else:
            table.add_row(result.task_id, status, *_cells(report))
            notes.extend(_notes(result.task_id, report))
        if result.error is not None:
            failure = f"{result.task_id}: {result.error.message} [{result.error.code}]"
            notes.append(Text(failure, style="yellow"))
    return Group(table, *notes)


def card_table(cards: Iterable[CardView]) -> RenderableType:
    """Show which cards can be requested, which cannot, and why."""
    table = _table("", "card", "runs on a node", "expert or reason")
    for card in cards:
        available = Text("yes", style="green") if card.available else Text("no", style="red")
        expert = f"{card.expert or ''}{' (approximate)' if card.approximate else ''}"
        table.add_row(Text(card.id), available, Text(expert if card.available else card.reason))
    return table


def profile_tables(profile: NodeProfile) -> RenderableType:
    """Show the measurements of each model: the cost of a cut at each partition point."""
    tables: list[RenderableType] = []
    for model in profile.models.values():
        slowed = f", {model.slowdown:g} times slower" if model.slowdown > 1 else ""
        table = _table(
            f"{model.model} on {profile.node}: {model.engine.label}{slowed}",
            *("point", "block", "block ms", "codec", "frame B", "encode ms", "accuracy retention"),
        )
        blocks = {block.name: block.ms for block in model.blocks}
        for point in model.points:
            retention = point.accuracy_retention
            table.add_row(
                str(point.point),
                point.name,
                f"{blocks[point.name]:.1f}" if point.name in blocks else "",
                point.codec,
                str(point.frame_bytes),
                f"{point.encode_ms:.1f}",
                "" if retention is None else f"{retention:.2f}",
            )
        lines = [f"fp32: {model.tail_ms(0):.1f} ms without decoding", *_precisions(model)]
        table.caption = " · ".join(lines) if model.precisions else None
        tables.append(table)
    return Group(*tables)


def _precisions(model: ModelProfile) -> Iterable[str]:
    for one in model.precisions:
        retention = one.accuracy_retention.get("whole", 0.0)
        yield f"{one.precision}: {one.tails_ms[0]:.1f} ms, accuracy retention {retention:.4f}"


def _cells(report: CostReport) -> list[RenderableType]:
    return [
        Text(report.arm),
        Text(" → ".join(report.nodes)),
        str(report.bytes_up),
        str(report.bytes_down),
        f"{sum(report.stages_ms.values()):.0f}",
    ]


def _notes(task_id: str, report: CostReport) -> Iterable[RenderableType]:
    stages = " · ".join(f"{name} {ms:.1f}" for name, ms in report.stages_ms.items())
    slowed = f" (device slowed {report.slowdown:g}x)" if report.slowdown > 1 else ""
    cached = f" · cached: {', '.join(report.cached)}" if report.cached else ""
    energy = f" · device {report.energy_j:.2f} J" if report.energy_j else ""
    yield Text(f"{task_id} stages in ms: {stages}{cached}{slowed}{energy}", style="dim")
    for step in report.fallback:
        reused = ", reusing the head's features" if report.head_reused else ""
        yield Text(
            f"{task_id}: {step.tried} failed ({step.reason}) → {step.used}{reused} [{step.code}]",
            style="yellow",
        )
    if report.approximate:
        yield Text(f"{task_id}: approximate, by {report.expert}", style="dim")


def _forecast(forecast: Forecast) -> list[RenderableType]:
    expected = "" if forecast.latency_ms is None else f"{forecast.latency_ms:.0f}"
    return [forecast.arm.label, expected, str(forecast.bytes_up), Text(forecast.unusable)]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        right = column.endswith(("ms", "B")) or column == "bytes up"
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _short(value: str) -> str:
    """Shorten the name of a stored image; the beginning of its digest identifies it."""
    return value[:18] + "…" if value.startswith("store:") else value
