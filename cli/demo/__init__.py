"""The demo's network of two nodes and a shaped link, and its requests.

The command itself belongs to ``cli/commands``, how it looks to ``cli/views``.
"""
