"""Feature codecs at run time: protocol, registry, frame, entropy coder and implementations.

Training and calibrating codecs belongs in ``tools/codec_training``.
"""
