"""OpenAI's API in front of the session: models, chat completions and responses.

It reads what clients send and writes what they expect; it decides nothing.
"""
