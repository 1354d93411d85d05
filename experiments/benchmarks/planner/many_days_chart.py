"""A picture of the dials: each one's figure week by week, with the dial off, usual and high."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from matplotlib.figure import Figure

from experiments.benchmarks.charts import BEST_COLOUR, GREY, OUR_COLOUR
from experiments.benchmarks.planner.week_figures import FIGURES

COLOURS = (GREY, OUR_COLOUR, BEST_COLOUR)
COLUMNS = 3
LETTERS = 52
"""In a line above a panel."""


def draw_dials(path: Path, rows: Sequence[Mapping[str, Any]], figures: Mapping[str, str]) -> None:
    """Draws one panel for each dial.

    Args:
        path: A PNG file, replaced if there.
        rows: One for each dial and step, with its weeks.
        figures: The figure of each dial.
    """
    deep = -(-len(figures) // COLUMNS)
    figure = Figure(figsize=(11, 3.2 * deep), layout="constrained")
    panels = figure.subplots(deep, COLUMNS, squeeze=False).flat
    for axes, (dial, name) in zip(panels, figures.items(), strict=False):
        mine = [row for row in rows if row["dial"] == dial]
        for colour, row in zip(COLOURS, mine, strict=True):
            values = [week[name] for week in row["weeks"]]
            axes.plot(range(1, len(values) + 1), values, marker="o", color=colour, label=row["step"])
        axes.set_title(f"{dial.replace('_', ' ')}\n{fill(FIGURES[name], LETTERS)}", fontsize=9)
        axes.set_ylim(bottom=0)
        axes.set_xticks(range(1, len(mine[0]["weeks"]) + 1))
        axes.set_xlabel("week", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
