"""From a recording of a repeated chirp to a person's vital signs, and from these to a mood."""
