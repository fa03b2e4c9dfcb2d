"""Atomic files and folders, and temporary folders that are always removed.

File formats belong to the packages that write them.
"""
