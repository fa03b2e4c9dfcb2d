"""Running trials on the host: prepare data, check a candidate, train, score, keep the best.

What runs inside the sandbox belongs to ``federated/app`` and ``federated/sandboxed``.
"""
