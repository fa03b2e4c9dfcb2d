"""The console script: arguments in, text or JSON out. Logic belongs in the layers below."""
