"""Searches for good plans: construction, compiled large-neighborhood search, and the bound on every plan."""
