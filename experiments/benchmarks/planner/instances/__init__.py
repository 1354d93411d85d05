"""Synthetic days that the planner is measured on."""
