"""The building blocks: cards, experts, split execution, offloading and the node client.

Nothing here plans the next step (``agents``) or serves a port (``edge_runtime``).
"""
