"""A client's side: its own samples, its SuperNode, and the app that it runs in the sandbox."""
