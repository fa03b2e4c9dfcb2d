"""A federated-learning app written by Edgewright; run it with ``flwr run``."""
