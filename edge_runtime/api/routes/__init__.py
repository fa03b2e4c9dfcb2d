"""The node's routes: each reads a request, asks the node, and writes the answer.

What is decided or computed belongs beside this folder or in ``tools``.
"""
