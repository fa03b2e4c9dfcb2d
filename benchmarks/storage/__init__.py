"""Long threads, and many images through a bounded store.

Time and size of federated runs belong to ``benchmarks/federated``.
"""
