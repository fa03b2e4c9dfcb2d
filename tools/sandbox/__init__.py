"""The sandbox: the only place where generated code runs, training included.

What is trusted here is the kernel, this folder and ``inside/lockdown.py``; never the code, nor
anything that it prints or writes.
"""
