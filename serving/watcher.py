"""Does something again and again beside the requests."""

import threading
from collections.abc import Callable


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
