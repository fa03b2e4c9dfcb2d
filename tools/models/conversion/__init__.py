"""Conversion of graphs of TensorFlow.js and TensorFlow Lite to ONNX, for the catalogue.

Fetching the graphs belongs in ``tools/models/install``; running them in ``tools/models/engines``.
"""
