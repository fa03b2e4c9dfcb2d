"""Programs that run inside the sandbox, each with ``lock_down`` as its first act.

Nothing here is imported on the host; generated code is imported nowhere else.
"""
