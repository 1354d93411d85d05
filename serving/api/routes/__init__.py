"""Routes, one file per resource: each parses, calls a use case and answers."""
