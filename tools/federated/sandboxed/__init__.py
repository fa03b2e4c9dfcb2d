"""Programs that run in the sandbox; each calls ``lock_down`` first.

The host imports none of these modules, and generated code is imported only here.
"""
