"""Profiling on this node, in advance: what a model's blocks, cuts and encodings take and keep."""
