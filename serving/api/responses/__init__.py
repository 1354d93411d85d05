"""Responses: plans and what became of them, as bodies of HTTP answers."""
