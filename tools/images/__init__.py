"""Pictures as data: header check, safe decoding, the content-addressed store, ``ImageRef``.

What a model makes of a picture belongs in ``tools/vision``.
"""
