"""Calls to chat models: the client, prompt files, and asking for JSON until it validates.

Prompts and schemas belong in the packages of the agents that use them.
"""
