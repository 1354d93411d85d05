"""How long texts may be that come in from outside, for the roster and the service alike; imports nothing."""

LONGEST_ID = 200
"""The most characters of an id of a roster, a live event or a request; those of log files may be longer."""
