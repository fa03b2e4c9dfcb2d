"""Drawing: evidence on photographs, and figures in a pose.

What is drawn comes from perceptions and results alone; seeing belongs to ``perception``.
"""
