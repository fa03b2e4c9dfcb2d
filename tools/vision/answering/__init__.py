"""Answers and captions from evidence: programs are run over what networks see in an image.

Understanding a question belongs in ``tools/vision/asking``, the networks in
``tools/vision/perception``.
"""
