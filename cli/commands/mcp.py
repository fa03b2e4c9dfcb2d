"""``edgewright mcp``: the Model Context Protocol on standard input and output."""

from __future__ import annotations

from edgewright.cli.views.output import Embedded, NodeUrl, reported_errors

EXAMPLES = """\
Examples:

edgewright mcp

edgewright mcp --node http://192.168.1.20:8760
"""


def mcp(node: NodeUrl = None, embedded: Embedded = False) -> None:
    """Serve MCP to the program that starts this command.

    Desktop clients and agents start it themselves: its command is
    edgewright, its argument mcp. 'edgewright serve' serves MCP over HTTP.
    """
    with reported_errors(as_json=False):
        from edgewright.edge_runtime.logs import log_to_stderr
        from edgewright.servers.serve import serve_stdio
        from edgewright.tools.settings import Settings

        log_to_stderr()
        serve_stdio(Settings.from_environment(node_url=node, embedded=embedded))
