"""Explains why a day has no plan, and what is the least to relax."""
