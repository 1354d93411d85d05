"""Answers that arrive by the minute, until a night takes them into the event log."""
