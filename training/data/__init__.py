"""Training data: events and profiles as labeled rows, split by time."""
