"""The demo's network of two nodes and a shaped link, and what it asks them.

The command itself belongs to ``cli/commands``.
"""
