"""Images as data: header checks, safe decoding, encoding and the content-addressed store.

Interpreting an image with a model belongs in ``tools/vision``.
"""
