"""Experiments that can be compared: run files of choices, refuse unfair comparisons, say better, equal or worse."""
