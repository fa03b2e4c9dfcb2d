"""Learned feature codecs at run time: networks, manifest and the two halves of a codec.

The interface is defined in ``tools/codecs/protocol.py``; training belongs in
``tools/codec_training``.
"""
