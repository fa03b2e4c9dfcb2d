"""What gets done: cards, experts, split execution, offloading and the client for nodes.

Nothing here decides what to do next (``agents``) or serves a port (``edge_runtime``).
"""
