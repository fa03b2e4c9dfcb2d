"""The operator's side: set up, the SuperLink, the server's program, runs, reports, installing."""
