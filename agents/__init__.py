"""Agents decide: text in, a typed decision out. They access no node, its files or its sockets.

Carrying out a decision belongs in ``tools``, ordering the steps in ``graphs``.
"""
