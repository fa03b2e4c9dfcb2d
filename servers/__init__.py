"""Interfaces in front of one session: OpenAI's API, MCP and a web console.

What a request does belongs in ``graphs``; here it is only read, handed on and written.
"""
