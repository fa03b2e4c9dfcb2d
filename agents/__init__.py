"""Decides: text in, a typed decision out, without access to any node, its files or its sockets.

Carrying out a decision belongs in ``tools``, ordering the steps in ``graphs``.
"""
