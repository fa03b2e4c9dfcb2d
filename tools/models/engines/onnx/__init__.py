"""ONNX Runtime: reading, running and writing exported models.

Exporting a PyTorch model begins in its own engine.
"""
