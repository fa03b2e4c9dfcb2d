"""LangGraph state machines: the order of the steps, and nothing else.

Decisions belong in ``agents``, the work in ``tools``.
"""
