"""The node's routes: each reads a request, calls the node, and writes the response.

What is decided or computed belongs in ``edge_runtime/execution`` or ``tools``.
"""
