"""Progress of a training run on a terminal: proposals, rounds, clients and the curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from edgewright.graphs.federated.events import Event, Prepared
    from edgewright.tools.federated.records.report import RunReport, TrialReport

#: Columns of a trial that has ended.
_COSTS = ("validation", "worst client", "MB up", "link s", "s")
_BARS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 48
#: Columns of the narrowest usual terminal.
_LINE = 80


class TrainingView:
    """Prints the steps of a run, and a live line for the current training; a context manager.

    Args:
        console: Where to print.

    Attributes:
        run: Name of the run, once it has begun; empty before.
    """

    def __init__(self, console: Console) -> None:
        self.run = ""
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._head = ""
        self._curve: list[float] = []
        self._clients: set[int] = set()

    def __enter__(self) -> TrainingView:
        self._live.start()
        self._wait("preparing the data")
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Release the terminal for a question."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.event == "prepared":
            self._prepared(event)
        elif event.event == "proposed":
            self._console.print(proposal_view(event.number, event.proposal))
            self._wait("checking")
        elif event.event == "checked":
            for fault in event.faults:
                self._print(f"refused [{fault.code}] {fault.slot}: {fault.message}", "yellow")
        elif event.event == "trial_started":
            self._curve, self._clients = [], set()
            self._wait(f"trial {event.number}, {event.rounds} rounds")
        elif event.event == "client":
            self._clients.add(event.client)
            self._refresh()
        elif event.event == "scored":
            self._curve.append(event.point.validation.accuracy)
            self._clients = set()
            self._refresh()
        elif event.event == "trial_ended":
            self._ended(event)
        elif event.event == "registered":
            self._live.update(Text(""))
            self._console.print(trials_table([event.report]))

    def _prepared(self, event: Prepared) -> None:
        card, self.run = event.card, event.run
        self._print(
            f"run {event.run}: {card.name}, {card.train} training samples at "
            f"{len(card.clients)} clients, {len(card.classes)} classes, label skew "
            f"{card.label_skew:.2f}"
        )
        for line in event.reading.lines() if event.reading else ():
            self._print(line, "dim")
        self._wait("proposing")

    def _ended(self, event: object) -> None:
        from edgewright.graphs.federated.events import TrialEnded

        assert isinstance(event, TrialEnded)
        result = event.result
        if result.fault is not None:
            self._print(
                f"trial {result.number} failed [{result.fault.code}] {result.fault.message}",
                "yellow",
            )
        elif result.best is not None:
            last = result.curve[-1]
            self._print(
                f"trial {result.number}: {result.best.validation.accuracy:.4f} in round "
                f"{result.best_round} {sparkline([p.validation.accuracy for p in result.curve])} "
                f"{last.simulated_s:.0f} s on the link clock, {last.wall_s:.0f} s here",
                "green",
            )
        self._wait("deciding")

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style))

    def _wait(self, text: str) -> None:
        self._head = text
        self._refresh()

    def _refresh(self) -> None:
        line = Text(f"… {self._head}")
        if self._curve:
            line.append(f", round {len(self._curve)}: {self._curve[-1]:.4f} ", "bold")
            line.append(sparkline(self._curve), "cyan")
        if self._clients:
            line.append(f" {len(self._clients)} clients done", "dim")
        self._live.update(line)


def proposal_view(number: int, proposal: object) -> RenderableType:
    """Show a proposal: its values, and the words of the purpose behind each choice."""
    from edgewright.agents.fl_coder.protocol import Proposal

    assert isinstance(proposal, Proposal)
    candidate = proposal.candidate
    title = f"proposal for trial {number} by the {proposal.coder} coder"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    table.add_column("words")
    table.add_column("choice")
    table.add_column("because")
    for choice in proposal.choices:
        table.add_row(Text(choice.words or "—"), Text(choice.choice), Text(choice.reason))
    values = (
        f"{candidate.strategy.name}, {candidate.rounds} rounds of {candidate.local_epochs} local "
        f"epochs, batches of {candidate.batch_size}, compression {candidate.compression.name}"
    )
    parts: list[RenderableType] = [table] if proposal.choices else [Text(title, "bold")]
    parts += [Text(candidate.rationale), Text(values, "dim")]
    parts += [Text(f"? {question}", "yellow") for question in proposal.questions]
    if proposal.note:
        parts.append(Text(proposal.note, "yellow"))
    return Group(*parts)


def runs_view(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """List runs: each name is whole and on one line; the purpose is below it."""
    parts: list[RenderableType] = []
    for row in rows:
        test = "" if row["test_accuracy"] is None else f"  test {row['test_accuracy']:.4f}"
        data = f"  on {row['data']}" if row["data"] else ""
        head = Text.assemble((row["run"], "bold"), f"  {row['state']}{test}")
        tool = f"  {row['tool']}"
        if not row["tool"]:
            parts.append(Text.assemble(head, data, overflow="fold"))
        elif len(head) + len(tool) <= _LINE:
            parts += [Text.assemble(head, (tool, "green"))]
        else:
            parts += [head, Text(tool, "green", no_wrap=True, overflow="ignore")]
        about = " ".join(str(row["purpose"]).split())
        if about:
            parts.append(Padding(Text(about, "dim"), (0, 0, 0, 2)))
        if row["resume"]:
            parts.append(Text(f"  to continue: {row['resume']}", no_wrap=True, overflow="ignore"))
    return Group(*parts)


def run_view(report: RunReport) -> RenderableType:
    """Show a run: its purpose, data and result, its trials, and the reasons for the best one."""
    data, test, best = report.data, report.test, report.best_trial
    result = "no trial was completed, so there is no model"
    if test is not None:
        result = f"test accuracy {test.accuracy:.4f}, worst client {test.worst_client:.4f}"
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("run", report.run),
        ("tool", report.tool or "none"),
        *([("placement", report.placement)] if report.placement else []),
        ("purpose", report.purpose),
        (
            "data",
            f"{data.name}, {data.train} training samples at {len(data.clients)} clients "
            f"({data.partition}), {len(data.classes)} classes, label skew {data.label_skew:.2f}",
        ),
        ("result", result),
        ("ended by", f"{report.stop} ({report.engine}, seed {report.seed})"),
    ):
        facts.add_row(Text(name, "dim"), Text(value))
    for caution in report.cautions:
        facts.add_row(Text("caution", "yellow"), Text(caution))
    for line in report.reading.lines() if report.reading else ():
        facts.add_row(Text("read", "dim"), Text(line))
    parts: list[RenderableType] = [facts, trials_table([report])]
    if best is not None:
        parts.append(Text(f"trial {report.best}: {best.candidate.rationale}"))
        parts += [
            Text(f"• {f'“{each.words}”: ' if each.words else ''}{each.choice}. {each.reason}")
            for each in best.reasons
        ]
    return Group(*parts)


def sparkline(values: Sequence[float]) -> str:
    """Draw a curve between 0 and 1 on one line of text."""
    step = max(1, -(-len(values) // _CURVE_WIDTH))
    top = len(_BARS) - 1
    return "".join(_BARS[round(min(max(value, 0), 1) * top)] for value in values[::step])


def trials_table(reports: Sequence[RunReport]) -> RenderableType:
    """Show the trials of runs in one table; columns without information are left out."""
    trials = [(report, trial) for report in reports for trial in report.trials]
    columns: dict[str, list[str]] = {
        "run": [report.run for report, _ in trials],
        "trial": [_number(report, trial) for report, trial in trials],
        "by": [trial.coder for _, trial in trials],
        "strategy": [trial.candidate.strategy.name for _, trial in trials],
        "rounds": [str(trial.candidate.rounds) for _, trial in trials],
    }
    costs = [_costs(trial) for _, trial in trials]
    columns |= {name: [each[name] for each in costs] for name in _COSTS}
    columns["faults"] = [", ".join(fault.code for fault in trial.complaints) for _, trial in trials]
    if len(reports) == 1:
        del columns["run"]
    if len(set(columns["by"])) == 1:
        del columns["by"]
    if not any(columns["faults"]):
        del columns["faults"]
    table = Table(header_style="dim", box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in ("rounds", *_COSTS) else "left"
        # A heading of two words may take two lines; a figure may not.
        wraps = name in ("faults", "worst client")
        width = 7 if name == "worst client" else None
        table.add_column(name, justify=justify, no_wrap=not wraps, max_width=width)
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, cells))
    return table


def _number(report: RunReport, trial: TrialReport) -> str:
    """Return a trial's number, with a star if it is the best."""
    if trial.result is None:
        return ""
    return f"{trial.result.number}{' ★' if trial.result.number == report.best else ''}"


def _costs(trial: TrialReport) -> dict[str, str]:
    """Return the accuracy and cost of a trial; blanks if it failed."""
    best, costs = trial.best, trial.costs
    if best is None or not costs:
        return dict.fromkeys(_COSTS, "")
    validation = best.validation
    return {
        "validation": f"{100 * validation.accuracy:.2f} %",
        "worst client": f"{100 * validation.worst_client:.2f} %",
        "MB up": f"{costs['bytes_up'] / 1e6:.2f}",
        "link s": f"{costs['simulated_s']:.0f}",
        "s": f"{costs['wall_s']:.0f}",
    }
