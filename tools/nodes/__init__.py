"""Access to nodes: the client, launching a node process, and a traffic-shaping relay.

The node's service belongs in ``edge_runtime``.
"""
