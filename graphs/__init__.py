"""Who does what next: LangGraph state machines and nothing else.

Decisions belong in ``agents``, the work in ``tools``.
"""
