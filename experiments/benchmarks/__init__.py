"""Measurements of regroup against plain alternatives, each in the same run on the same rows."""
