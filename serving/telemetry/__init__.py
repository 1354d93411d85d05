"""Telemetry: log lines, metrics and request ids, none of which names a student."""
