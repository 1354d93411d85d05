"""Pictures of forecasts: whether they mean what they say, how well they rank, and what more students add."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.metrics import roc_curve

from experiments.benchmarks.figures import FEWEST
from experiments.benchmarks.forecasts.figures.scores import OURS
from training.evaluation.metrics import BINS, area_under_curve

Floats = npt.NDArray[np.float64]
Target = npt.NDArray[np.float32]

Curve = Sequence[tuple[int, float]]

OUR_COLOR, BEST_COLOR, GRAY = "#0b5fa5", "#d1660f", "#8a8f98"
STYLES = ("-", "--", "-.", ":", (0, (1, 3)), (0, (6, 3)), (0, (4, 1, 1, 1, 1, 1)))


def draw_reliability(path: Path, title: str, target: Target, forecasts: Mapping[str, Floats], best: str) -> None:
    """What came true against what was forecast, ours and the best peer's, over how many rows said so.

    Args:
        path: A PNG file, replaced if there.
        title: Above the picture.
        target: 1 or 0 of each row, or the chance of 1.
        forecasts: Probabilities by model.
        best: The peer to show.
    """
    figure, upper, lower = _open_figure()
    upper.plot([0, 1], [0, 1], color=GRAY, linewidth=1, linestyle=":", label="as forecast")
    edges = np.linspace(0, 1, BINS + 1)
    for name, color in ((best, BEST_COLOR), (OURS, OUR_COLOR)):
        chance = forecasts[name]
        bins = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
        rows = np.bincount(bins, minlength=BINS)
        shown = rows >= FEWEST
        said = np.bincount(bins, chance, BINS)[shown] / rows[shown]
        came = np.bincount(bins, target, BINS)[shown] / rows[shown]
        upper.plot(said, came, marker="o", markersize=4, color=color, label=name)
        lower.stairs(rows / len(target), edges, color=color, linewidth=1.4)
    upper.set(title=title, ylabel="share that came true", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    upper.tick_params(labelbottom=False)
    upper.legend(frameon=False, loc="upper left")
    lower.set(xlabel="forecast probability", ylabel="share of rows", xlim=(0, 1))
    lower.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _save(figure, path)


def draw_roc(path: Path, title: str, target: Target, forecasts: Mapping[str, Floats], best: str) -> None:
    """The ROC curve of every model, with its area in the legend; arguments as in `draw_reliability`."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=GRAY, linewidth=0.6)
    others = [name for name in forecasts if name not in {OURS, best}]
    looks: dict[str, dict[str, Any]] = {
        **{name: {"color": GRAY, "linestyle": style} for name, style in zip(others, STYLES, strict=False)},
        best: {"color": BEST_COLOR, "linewidth": 1.8},
        OURS: {"color": OUR_COLOR, "linewidth": 2.2},
    }
    area = {name: area_under_curve(target, forecasts[name]) for name in looks}
    twice, weights = np.repeat([1, 0], len(target)), np.concatenate([target, 1 - target])
    for name, look in looks.items():
        wrong, right, _ = roc_curve(twice, np.tile(forecasts[name], 2), sample_weight=weights)
        axes.plot(wrong, right, label=f"{name}  {area[name]:.3f}", zorder=area[name], **look)
    axes.set(title=title, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    handles, labels = axes.get_legend_handles_labels()
    highest_first = sorted(range(len(labels)), key=lambda place: -list(area.values())[place])
    axes.legend(
        [handles[place] for place in highest_first],
        [labels[place] for place in highest_first],
        title="area under the curve",
        frameon=False,
        loc="lower right",
    )
    _save(figure, path)


def _open_figure() -> tuple[Figure, Axes, Axes]:
    figure = Figure(figsize=(6, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(5, 1))
    upper = figure.add_subplot(grid[0])
    return figure, upper, figure.add_subplot(grid[1], sharex=upper)


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=110)  # a figure without pyplot is drawn by Agg, and needs no screen


def draw_learning_curve(path: Path, name: str, curves: Mapping[str, Curve], levels: Mapping[str, float]) -> None:
    """AUC against the number of students learned from; what another log's model reaches is a level line.

    Args:
        path: A PNG file, replaced if there.
        name: Name of the log.
        curves: Students and AUC of each point, by forecast.
        levels: AUC without any history here, by forecast; may be empty.
    """
    figure = Figure(figsize=(6.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for (label, points), color in zip(curves.items(), (OUR_COLOR, BEST_COLOR), strict=False):
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=color, label=label)
        if label in levels:
            axes.axhline(levels[label], color=color, linestyle="--", linewidth=1, label=f"{label}, first day")
    students = [count for count, _ in next(iter(curves.values()))]
    axes.set_xscale("log")
    axes.set_xticks(students, [f"{count:,}" for count in students])
    axes.minorticks_off()
    axes.set(title=f"learning curve, {name}", xlabel="students learned from", ylabel="AUC on the same test students")
    figure.legend(frameon=False, loc="outside lower center", ncols=2)
    _save(figure, path)
