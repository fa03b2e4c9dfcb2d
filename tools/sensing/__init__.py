"""Sensors of a node, and experts that read them: network traffic, microphone and loudspeaker.

Simulated people and rooms, against which the experts are judged, belong to ``tools/simulation``.
"""
