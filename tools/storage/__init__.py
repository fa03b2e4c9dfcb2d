"""Files and folders that are there whole or not at all, and temporary folders that always go.

Formats belong to the packages that write them.
"""
