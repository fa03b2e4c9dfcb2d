"""``edgewright profile``: measure a node's models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.commands.node import Config
from edgewright.cli.views.output import (
    Json,
    print_table,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json

if TYPE_CHECKING:
    from edgewright.edge_runtime.config import NodeConfig
    from edgewright.tools.contracts.profiles import NodeProfile

EXAMPLES = """\
Example:

edgewright profile --config examples/device.yaml
"""


def profile(
    config: Config = None,
    runs: Annotated[
        int | None,
        typer.Option(min=1, max=1000, metavar="N", help="Repetitions; the median is stored."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a node's models on this machine, and store its profile.

    Measures the models that the node loads at start, with its threads, its
    slow-down and its camera's photographs. Stop the node first.
    """
    with reported_errors(as_json):
        from edgewright.edge_runtime.config import load_config

        node = load_config(config, overrides={"profile_runs": runs})
        measured = _measured(node)
        if as_json:
            print_json(measured.model_dump(mode="json"))
            return
        from edgewright.cli.views.results import profile_tables

        print_table(profile_tables(measured))


def _measured(config: NodeConfig) -> NodeProfile:
    from edgewright.edge_runtime.profiling.measure import measure_profile
    from edgewright.tools.errors import UnavailableError
    from edgewright.tools.library import models

    known = models()
    for model in config.preload:
        if obstacle := known.get(model).obstacle():
            raise UnavailableError(
                f"{model!r} of 'preload' cannot be loaded: {obstacle}", code="model_not_loaded"
            )
    with progress_console().status(f"measuring {', '.join(config.preload)}"):
        return measure_profile(config)
