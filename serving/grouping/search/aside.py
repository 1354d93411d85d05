"""Runs compiled searches on threads that give way to all others.

A search takes a processor until its time is over, however much that is. On threads of the usual priority it would halve
what the writing of plans and every other request get of a busy machine.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import numpy as np

from serving.grouping.search.kernel import ENDED, SPENT
from serving.grouping.state.arrays import Floats

NICENESS = 5
"""By how much the priority is lower: where both want one processor, a search gets a quarter of it.

With less, a search whose time is over would not be there to notice."""

TICKS = 25
"""How often the clock of a search is set while its time passes."""


def _lower_priority() -> None:
    """Lowers that of this thread where the system has priorities of threads: Linux."""
    with suppress(OSError, AttributeError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


_THREADS = ThreadPoolExecutor(32, thread_name_prefix="search", initializer=_lower_priority)


def run_until(search: Callable[[Floats], int], until: float) -> int:
    """Runs a compiled search on a thread of its own until a moment on the clock of `time.perf_counter`.

    Args:
        search: Takes the clock, which says when to end; it must not need the interpreter lock for long.
        until: The moment.

    Returns:
        What the search returned: how many rounds there were.
    """
    began, clock = time.perf_counter(), np.zeros(2)
    whole = max(until - began, 1e-9)
    running = _THREADS.submit(search, clock)
    try:
        while not running.done() and (left := until - time.perf_counter()) > 0:
            clock[SPENT] = 1.0 - left / whole
            wait([running], min(left, whole / TICKS))
    finally:
        clock[ENDED] = 1.0
    return running.result()
