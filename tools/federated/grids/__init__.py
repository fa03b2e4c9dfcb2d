"""Training engines: the sandboxed in-process grid, Flower's simulation and Flower deployments."""
