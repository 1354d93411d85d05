"""Loads model versions, scores profiles, suggests groups, answers over HTTP."""
