"""Who decides: text in, typed decision out. Touches no node, no file and no socket of a node.

What carries a decision out belongs in ``tools``; what orders the steps belongs in ``graphs``.
"""
