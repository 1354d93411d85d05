"""Batches of live events: translated from a standard where they come in one, read, checked and stored once."""
