"""From flows to the category of each application, to its share of the time of use."""
