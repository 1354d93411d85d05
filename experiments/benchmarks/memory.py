"""How much memory this process, another one, or all that work together hold."""

import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self

LOOK_S = 0.1
"""Seconds between two looks at the memory of several processes."""


def forget_peak() -> None:
    """Lets `peak_mb` count from now on, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Returns the most memory that this process has held so far, or since `forget_peak`, in megabytes.

    Linux counts the `ru_maxrss` of a child from its parent's, so the process's own high-water mark is read there.
    """
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def memory_mb(process_id: int) -> dict[str, float]:
    """Returns `pss`, with shared pages divided among the processes that share them, and `uss`, a process's own; MB."""
    sizes = dict.fromkeys(("Pss", "Private_Clean", "Private_Dirty"), 0)
    for line in Path(f"/proc/{process_id}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]:
        name, _, rest = line.partition(":")
        if name in sizes:
            sizes[name] = int(rest.split()[0])
    return {"pss": sizes["Pss"] / 1024, "uss": (sizes["Private_Clean"] + sizes["Private_Dirty"]) / 1024}


def rss_mb(process_id: int) -> float:
    """Returns what a process holds in memory, pages that it shares included; MB."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class MemoryWatch(Thread):
    """Looks every tenth of a second at what this process and its children hold together (Linux).

    Attributes:
        most_mb: The most so far, each page counted once, in megabytes; 0 on other systems.
        cpu_seconds: Of a processor that looking took, once it has ended.
    """

    def __init__(self) -> None:
        super().__init__(name="memory", daemon=True)
        self.most_mb = 0.0
        self.cpu_seconds = 0.0
        self._ended = Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Looks until the context ends."""
        while not self._ended.wait(LOOK_S):
            held = 0.0
            for process in (os.getpid(), *_list_children()):
                with suppress(OSError):  # one that has ended holds nothing
                    held += memory_mb(process)["pss"]
            self.most_mb = max(self.most_mb, round(held, 1))
        self.cpu_seconds = time.thread_time()


def _list_children() -> list[int]:
    children: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # of a thread that has ended
            children += map(int, path.read_text(encoding="utf-8").split())
    return children
