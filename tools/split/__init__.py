"""Split execution: running the head or the tail of a model, or the whole model.

Choosing the cut belongs in ``tools/offload``; sending the frame belongs in ``edge_runtime``.
"""
