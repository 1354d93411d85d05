"""Events that arrive by the minute: the database's table of them, and their ingest into the event log at night."""
