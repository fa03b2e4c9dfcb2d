"""How results, plans, progress and errors look on a terminal.

Commands belong to ``cli/commands``.
"""
