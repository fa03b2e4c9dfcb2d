"""Calls to chat models: the client, and asking for JSON until it validates.

Prompts and schemas belong to the agents that ask.
"""
