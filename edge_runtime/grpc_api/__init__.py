"""The Open Inference Protocol over gRPC; imported only where a port for it is configured.

What a call does is shared with HTTP and belongs to ``edge_runtime/api``.
"""
