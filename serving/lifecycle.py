"""A circuit breaker: what did not answer is left alone for a moment, since each attempt may take seconds."""

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from serving.errors import NotReadyError


class Draining:
    """Whether this process has been told to end.

    Args:
        seconds: Between saying that it is not ready and ending.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begun = threading.Event()

    def listen(self) -> None:
        """Puts itself before whatever answers SIGTERM now; only the main thread of a process can."""
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            return
        stop = signal.getsignal(signal.SIGTERM)

        def drain(number: int, frame: FrameType | None) -> None:
            if not self._begun.is_set() and callable(stop):
                self._begun.set()
                ending = threading.Timer(self._seconds, stop, (number, frame))
                ending.daemon = True
                ending.start()

        signal.signal(signal.SIGTERM, drain)

    def require_not_begun(self) -> None:
        """Refuses once the process was told to end.

        Raises:
            NotReadyError: It was.
        """
        if self._begun.is_set():
            raise NotReadyError("stopping", "this process is about to stop; another one takes over")


class Watcher:
    """A thread that calls a function every few seconds.

    Args:
        name: Of the thread.
        look: What it calls; errors are its own to handle.
        every_s: Seconds between two calls.
    """

    def __init__(self, name: str, look: Callable[[], object], every_s: float) -> None:
        self._name = name
        self._look = look
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins; the first call comes after the first pause."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends, and waits for a call that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._look()


OPEN_S = 1.0
"""How long the circuit stays open after a failure, in seconds."""


class CircuitBreaker:
    """Remembers the last failure of one dependency, for all threads of a process."""

    def __init__(self) -> None:
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the dependency failed less than a second ago and should not be asked now."""
        return time.monotonic() < self._open_until

    def trip(self) -> None:
        """Opens the circuit after a failure."""
        self._open_until = time.monotonic() + OPEN_S
