"""Where an app is trained: in the sandbox, in Flower's simulation or in a Flower deployment."""
