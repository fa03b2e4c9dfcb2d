"""Benchmark of the capacity planner: the simulation against closed forms, and its speed."""
