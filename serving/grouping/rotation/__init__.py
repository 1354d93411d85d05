"""Groups over several rounds in which the same students rarely meet."""
