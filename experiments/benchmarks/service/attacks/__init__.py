"""Attacks on a running service, each with what everybody else must still get meanwhile."""
