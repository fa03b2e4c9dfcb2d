"""The sandbox, the only place where generated code runs, training included.

The kernel and this package are trusted; the generated code and anything it prints or writes are
not.
"""
