"""Measures which images trained cards take for their own; what they learn is in ``tools``."""
