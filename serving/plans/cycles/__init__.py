"""Days in a row: cycles with the same groups, and series of them."""
