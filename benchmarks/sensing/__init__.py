"""How far the sensing experts are right about simulated people, rooms and networks."""
