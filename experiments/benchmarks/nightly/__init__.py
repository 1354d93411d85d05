"""What a night costs, by the size of the log."""
