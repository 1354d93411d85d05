"""Conversions of what was found to bodies of answers."""
