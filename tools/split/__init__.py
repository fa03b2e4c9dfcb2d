"""Split execution: where a model may be cut, the codec at the cut, and the frame on the wire.

Which cut to take belongs in ``tools/offload``; sending the frame belongs in ``edge_runtime``.
"""
