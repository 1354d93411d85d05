"""What a night cost: seconds by step, memory and disk."""

import logging
import resource
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from features.home import Home
from features.memory import collect_garbage

logger = logging.getLogger("regroup")

KIB_PER_MB = 1000**2 / 1024


@dataclass(frozen=True)
class Cost:
    """What a night took until the record was written.

    Attributes:
        seconds: Wall-clock seconds by step, in order.
        peak_mb: Most memory that the process held at a time, in megabytes (10^6 bytes); its helpers not counted.
        written_mb: What the night wrote of event log, profiles and rejected rows and is still there, in megabytes.
    """

    seconds: Mapping[str, float]
    peak_mb: float
    written_mb: float


class Meter:
    """Times the steps of a night, which follow each other, and says each in the log as it begins.

    What a step has left is given back to the system before the next, whose helpers need it.

    Example:
        >>> from pathlib import Path
        >>> meter = Meter(Home(Path("/nowhere")))
        >>> meter.begin("ingest")
        >>> meter.begin("profile", "%d events", 12)
        >>> list(meter.read().seconds)
        ['ingest', 'profile']
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._began = time.time()
        self._steps: list[tuple[str, float]] = []

    def begin(self, step: str, about: str = "", *arguments: object) -> None:
        """Ends the step before and begins one; `about` is the rest of its line in the log."""
        collect_garbage()
        self._steps.append((step, time.perf_counter()))
        logger.info(f"{step}: {about}" if about else step, *arguments)

    def read(self) -> Cost:
        """The cost until now; of a step that came twice, both together."""
        ends = [begin for _, begin in self._steps[1:]] + [time.perf_counter()]
        seconds: dict[str, float] = {}
        for (step, begin), end in zip(self._steps, ends, strict=True):
            seconds[step] = seconds.get(step, 0.0) + end - begin
        return Cost(seconds, _peak_mb(), self._written_mb())

    def _written_mb(self) -> float:
        size = 0
        for folder in (self._home.events, self._home.item_skills, self._home.published, self._home.rejected):
            for path in folder.rglob("*"):
                with suppress(FileNotFoundError):  # an erasure may rewrite profiles meanwhile
                    found = path.stat()
                    if path.is_file() and found.st_mtime >= self._began:
                        size += found.st_size
        return size / 1e6


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / KIB_PER_MB  # in bytes on macOS, in KiB elsewhere
