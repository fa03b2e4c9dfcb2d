"""The responder: an answer made from results alone, each claim naming the task it rests on.

Running tasks belongs to ``graphs``; this package only words what came of them.
"""
