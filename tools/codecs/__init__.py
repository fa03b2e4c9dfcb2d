"""Feature codecs at run time: protocol, registry, frame, entropy coder and the codecs themselves.

Making a codec belongs to ``tools/codec_training``.
"""
