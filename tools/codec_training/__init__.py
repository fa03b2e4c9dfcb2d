"""Training feature codecs: caching features, training or fitting a codec, exporting its halves.

Running a finished codec belongs in ``tools/codecs``.
"""
