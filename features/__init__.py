"""From raw logs to events, and from events to student and skill profiles."""
