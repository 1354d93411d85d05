"""What keeps a process of the service going: its end after a grace period, periodic tasks, circuit breakers, memory."""

import ctypes
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from serving.errors import NotReadyError

logger = logging.getLogger("regroup")

OPEN_S = 1.0
"""Seconds for which a circuit stays open after a failure."""

M_ARENA_MAX, ARENAS = -8, 2
"""Number of an option of glibc's `mallopt`, and its value: heaps that the threads of a process share."""

M_MMAP_THRESHOLD, LARGE_BYTES = -3, 128 * 2**10
"""The same: from this size on an array has memory of its own, which goes back to the system with it."""

ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL"
"""The variable by which Arrow chooses, when it is imported, who allocates for it."""


def share_heaps() -> None:
    """Lets all threads allocate from the same few heaps, without what is large; called before there are threads.

    glibc gives every thread a heap, up to eight a core, and keeps in each what was once needed there; and it puts
    larger and larger arrays among small things, which then keep their places. Other C libraries do not, and nothing
    happens. Arrow's own allocator keeps memory of each thread that ever used it, so the system's is used, unless the
    variable says otherwise.
    """
    os.environ.setdefault(ARROW_POOL, "system")
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, ARENAS)
        library.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


class Drain:
    """The time between the signal to end and the end, in which the process says that it is not ready.

    Args:
        seconds: How long that is; 0 to end at once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begun = threading.Event()

    def listen(self) -> None:
        """Delays the present handler of SIGTERM; only the main thread of a process can."""
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            return
        stop = signal.getsignal(signal.SIGTERM)

        def begin(number: int, frame: FrameType | None) -> None:
            if not self._begun.is_set() and callable(stop):
                self._begun.set()
                timer = threading.Timer(self._seconds, stop, (number, frame))
                timer.daemon = True
                timer.start()

        signal.signal(signal.SIGTERM, begin)

    def require_not_begun(self) -> None:
        """Refuses once the process got the signal to end.

        Raises:
            NotReadyError: It did.
        """
        if self._begun.is_set():
            raise NotReadyError("stopping", "this process is about to stop; another one takes over")


class PeriodicTask:
    """A thread that calls a function every few seconds, for as long as the process lives.

    Args:
        name: The name of the thread.
        function: The function; what it raises is logged, and the next call is made all the same.
        every_s: Seconds between two calls.
    """

    def __init__(self, name: str, function: Callable[[], object], every_s: float) -> None:
        self._name = name
        self._function = function
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread; the first call comes after the first pause."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops the thread, and waits for a call that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self._function()
            except Exception:
                logger.exception("%s: failed unexpectedly; it is tried again in %s s", self._name, self._every_s)


class CircuitBreaker:
    """Remembers the last failure of one dependency, for all threads of a process.

    A dependency that did not answer is left alone for a moment, since each attempt may take seconds.
    """

    def __init__(self) -> None:
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the dependency failed less than a second ago and should not be asked now."""
        return time.monotonic() < self._open_until

    def trip(self) -> None:
        """Opens the circuit after a failure."""
        self._open_until = time.monotonic() + OPEN_S

    def close(self) -> None:
        """Closes the circuit, since the dependency has just answered somebody else."""
        self._open_until = 0.0
