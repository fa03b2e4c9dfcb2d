"""HTTP: middleware, request bodies, problems, OpenAPI and routes.

What a request does belongs to ``edge_runtime/execution``.
"""
