"""Moments by which something has to end, on the clock of `time.perf_counter`."""

import time


def is_over(until: float | None) -> bool:
    """Says whether a moment on the clock of `time.perf_counter` is over; None is never."""
    return until is not None and time.perf_counter() > until
