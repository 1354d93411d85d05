"""State: a problem as arrays, and a partial solution with its rooms."""
