"""A picture of the service under load: how long each route takes, by number of workers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.benchmarks.charts import BEST_COLOUR, GREY, OUR_COLOUR


def draw_service(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draws the median of each route as a dot and its 99th percentile as the end of a line.

    Args:
        path: A PNG file, replaced if there.
        rows: One for each number of workers.
    """
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    routes = list(rows[0]["ms"])
    for at, (row, colour) in enumerate(zip(rows, (GREY, OUR_COLOUR, BEST_COLOUR), strict=False)):
        low, high = (np.array([row["ms"][route][name] for route in routes]) for name in ("p50", "p99"))
        places = np.arange(len(routes)) + 0.2 * (at - (len(rows) - 1) / 2)
        label = f"{row['workers']} workers, {row['requests_per_second']:.0f} requests/s"
        axes.hlines(places, low, high, color=colour, linewidth=2)
        axes.plot(low, places, "o", color=colour, label=label)
    axes.set_yticks(range(len(routes)), routes)
    axes.set_xscale("log")
    axes.set(title="time to answer under a mix of requests", xlabel="milliseconds: median to 99th percentile")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside lower center", ncols=3, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=110)
