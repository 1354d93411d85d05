"""What every benchmark needs to report its figures: tables."""

from collections.abc import Sequence

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
