"""Perception: networks that find objects, poses, faces and text, and what their outputs mean.

How a question or a card uses what was seen belongs beside this package; how networks are loaded, in
``tools/models``.
"""
