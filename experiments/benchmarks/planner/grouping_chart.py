"""A picture of the planner: value by time, and each soft term beside the usual ways to group."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from experiments.benchmarks.charts import BEST_COLOUR, GREY, OUR_COLOUR

COLOURS = (OUR_COLOUR, GREY, BEST_COLOUR, "#7a4fa3", "#b5651d")

SHOWN = {
    "benefit": "needs met",
    "coverage": "without an adult",
    "relationships": "meetings, halved if met lately",
    "repeat_mates": "repeat mates",
    "keep_together": "wished pairs kept",
}


def draw_grouping(path: Path, rows: Sequence[Mapping[str, Any]], terms: Mapping[str, Mapping[str, float]]) -> None:
    """Draws both.

    Args:
        path: A PNG file, replaced if there.
        rows: As the table has them.
        terms: The mean of each term by method; the first method is ours.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    usual = set(list(terms)[1:])
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    for colour, students in zip(COLOURS, sorted({row["students"] for row in rows}), strict=False):
        mine = [row for row in rows if row["students"] == students and row["method"] not in usual]
        mine.sort(key=lambda row: row["seconds_median"])
        left.plot(
            [row["seconds_median"] for row in mine],
            [row["ratio_bk_median"] for row in mine],
            marker="o",
            color=colour,
            label=f"{students} students",
        )
    left.set_xscale("log")
    left.set_xlabel("seconds, from problem to checked plan with reasons")
    left.set_ylabel("share of best known, median")
    left.legend(frameon=False)
    width = 0.8 / len(terms)
    for at, (method, means) in enumerate(terms.items()):
        highest = {name: max(abs(each[name]) for each in terms.values()) or 1.0 for name in SHOWN}
        places = [place + at * width for place in range(len(SHOWN))]
        bars = right.bar(
            places, [means[name] / highest[name] for name in SHOWN], width, color=COLOURS[at], label=method
        )
        right.bar_label(bars, [f"{means[name]:.1f}" for name in SHOWN], fontsize=7, padding=1)
    right.set_xticks([place + 0.3 for place in range(len(SHOWN))], list(SHOWN.values()), fontsize=8, rotation=12)
    right.set_yticks([])
    right.set_title("mean of each term over the days of one size", fontsize=10)
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
