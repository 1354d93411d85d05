"""A stop that callers do not notice: told to end, a process first says that it is not ready, then ends.

A load balancer takes some seconds to see that a process is not ready; meanwhile requests that it still sends are
answered. Afterwards the server ends what is under way and no more comes in.
"""

import signal
import threading
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
