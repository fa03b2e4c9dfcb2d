"""What a written Flower app imports: learner, guarded strategy, aggregation, compression, privacy.

Runs inside the sandbox or on a Flower deployment; nothing here may import the host's side.
"""
