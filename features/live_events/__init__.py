"""Events that came in over HTTP during the day, durable in the database until a night takes them into the event log."""

from features.live_events.keeping import keep_events, known_events, one_at_a_time
from features.live_events.pickup import take_up
from features.live_events.reading import LiveRows, latest_number, read_live_events
from features.live_events.tables import LIVE_EVENTS, METADATA

__all__ = [
    "LIVE_EVENTS",
    "METADATA",
    "LiveRows",
    "keep_events",
    "known_events",
    "latest_number",
    "one_at_a_time",
    "read_live_events",
    "take_up",
]
