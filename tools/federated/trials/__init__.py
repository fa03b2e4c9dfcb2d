"""Running trials on the host: prepare data, check candidates, train, score, publish the best.

Code that runs in the sandbox belongs in ``federated/app`` and ``federated/sandboxed``.
"""
