"""What every benchmark needs to report its figures: tables, a JSON file, and peak memory."""

import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from features.console import OUT

FEWEST = 20
"""Rows that a share is of at least; of fewer, it is chance and left out of pictures."""

WIDEST = 1_000
"""More characters than any table has in a line."""


def make_table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """Returns an empty table whose first columns hold words, and whose others hold numbers."""
    table = Table(title=title, box=SIMPLE_HEAD)
    for name in words:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_tables(*tables: Table) -> None:
    """Prints tables whose words and figures stay whole: a narrow terminal breaks their lines."""
    for table in tables:
        width = max(OUT.width, Console(width=WIDEST).measure(table).maximum)
        Console(soft_wrap=True, width=width).print(table)


def forget_peak() -> None:
    """Lets `peak_mb` count from now on, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb(process: int | str = "self") -> float:
    """Returns the most memory that a process has held so far, or since its `forget_peak`, in megabytes.

    Linux counts the `ru_maxrss` of a child from its parent's, so the process's own high-water mark is read there.

    Args:
        process: Its number; 0 MB where it has ended, and on systems that do not tell of others (all but Linux).
    """
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    if process != "self":
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
