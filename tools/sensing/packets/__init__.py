"""Captured packets: files and sockets, headers, names and flows; never what was said in them."""
