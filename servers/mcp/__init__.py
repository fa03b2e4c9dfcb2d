"""The Model Context Protocol in front of the session: tools, resources, and approval of trainings.

It reads calls and writes results; it decides nothing.
"""
