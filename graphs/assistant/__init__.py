"""The assistant: understand, plan, offload, execute, answer.

What a step decides belongs in ``agents``, what it does in ``tools``; only the order is here.
"""
