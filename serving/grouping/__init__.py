"""Suggests a team's sessions for a day: a pure function of frozen dataclasses, without HTTP, tables or a clock."""
