"""Speaking to nodes: the wire schema both sides share, the client, and links made worse on purpose.

The service that answers belongs in ``edge_runtime``.
"""
