"""Profiles: what a student's events up to a moment say about the student and each skill."""
