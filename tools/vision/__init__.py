"""Vision experts: they carry out cards on images by interpreting the outputs of models.

Cutting a model belongs in ``tools/split``; choosing the node that runs it in ``tools/offload``.
"""
