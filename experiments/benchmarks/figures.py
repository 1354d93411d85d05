"""What every benchmark needs to report its figures: tables, a JSON file, and peak memory."""

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from features.console import OUT, write_json
from features.errors import InputError

MIN_WIDTH = 112
"""Columns that a table needs; a narrower terminal breaks its lines rather than its figures."""


def make_table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """Returns an empty table whose first columns hold words, and whose others hold numbers."""
    table = Table(title=title, box=SIMPLE_HEAD)
    for name in words:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_tables(*tables: Table) -> None:
    """Prints tables whose figures stay whole on a narrow terminal."""
    Console(soft_wrap=True, width=max(OUT.width, MIN_WIDTH)).print(*tables)


def peak_mb() -> float:
    """Returns the most memory that this process has held so far, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def write_figures(path: Path | None, figures: object) -> None:
    """Writes the figures as JSON; without a path it writes nothing.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        write_json(path, figures)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
