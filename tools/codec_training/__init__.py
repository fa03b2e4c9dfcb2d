"""Making feature codecs: caching features, training or computing a codec, exporting its two halves.

Running a finished codec belongs to ``tools/codecs``.
"""
