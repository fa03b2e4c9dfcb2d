"""Questions in words, turned into programs over what experts can see.

Running a program belongs in ``tools/vision/answering``.
"""
