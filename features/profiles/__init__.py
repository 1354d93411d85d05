"""Profiles: one row per student and per skill as of a moment, folded from the student's events by a compiled kernel."""
