"""Pictures of a comparison: gains, ranking, calibration and folds, for a page and for a notebook."""

import io
import re
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.benchmarks.figures import FEWEST
from experiments.workbench.comparison.verdicts import Verdicts, forecasts_of
from experiments.workbench.metrics import METRICS
from experiments.workbench.runs.store import Run
from training.config import Evaluation
from training.evaluation.metrics import BINS, give_places

Floats = npt.NDArray[np.float64]

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colors that most people who see few colors tell apart (Okabe and Ito 2008); lines differ in dashes and marks too."""

NAMES = ("one", "two", "three", "four", "five", "six")
"""What a page calls these colors, which are lighter on a dark one."""

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKS = ("o", "s", "^", "D", "v", "P")

INK, FAINT = "#111112", "#8a8f98"
"""Of text and axes, which a page replaces by its own, and of what is only there to compare with."""

WIDTH, HEIGHT = 5.4, 4.6
"""Inches of a picture."""

UNITS = {"log_loss": "log-loss (nats a row)", "auc": "AUC (share of pairs)"}
"""What the axes of a metric say."""

MOST_POINTS = 400
"""Points of a curve that are drawn."""

FONT: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "regroup", "font.size": 11.0, "axes.titlesize": 12.0}


def draw_figures(comparison: Verdicts) -> dict[str, Figure]:
    """Draws all pictures of a comparison, by name."""
    target = comparison.predictions["target"].to_numpy(np.float64)
    chances = {run.name: np.mean(forecasts_of(run, comparison.predictions), axis=0) for run in comparison.runs}
    figures = {"gains": _draw_gains(comparison)}
    if 0 < target.sum() < len(target):
        figures |= {"roc": _draw_roc(target, chances), "precision_recall": _draw_precision(target, chances)}
    figures["reliability"] = _draw_reliability(target, chances)
    if comparison.runs[0].choices["forecast"] == "struggle":
        figures["lead_time"] = _draw_lead_time(comparison, chances)
    if any(len({point["share"] for point in run.curve}) > 1 for run in comparison.runs):
        figures["learning"] = _draw_learning(comparison)
    figures["folds"] = _draw_folds(comparison)
    return figures


def to_svg(figure: Figure) -> str:
    """The picture as an SVG element in the colors of the page that it is put into."""
    with mpl.rc_context(FONT):
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    for color, name in zip(COLORS, NAMES, strict=True):
        svg = svg.replace(color, f"var(--{name})")
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"( viewBox="[^"]*")? width="[^"]*"', r"\1\2", svg)
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)


def _open(title: str, x: str, y: str, height: float = HEIGHT) -> tuple[Figure, Axes]:
    with mpl.rc_context(FONT):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
    axes.set_title(title, color=INK, loc="left")
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    return figure, axes


def _legend(figure: Figure) -> None:
    """Below the axes, where no line runs through it."""
    figure.legend(frameon=False, loc="outside lower left", labelcolor=INK, handlelength=3)


def _shorten(*curves: Floats) -> list[Floats]:
    """The same curves with fewer points, their ends among them."""
    places = np.unique(np.linspace(0, len(curves[0]) - 1, MOST_POINTS).round().astype(int))
    return [curve[places] for curve in curves]


def count_above(target: Floats, chance: Floats) -> tuple[Floats, Floats]:
    """Counts positive and negative rows at or above each forecast that occurs, the highest first.

    Args:
        target: 1 or 0 of each row; one between them is that share of a positive and the rest of a negative.
        chance: The forecast of each row.

    Example:
        >>> count_above(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.4, 0.4]))
        (array([1., 2.]), array([0., 1.]))
    """
    order = np.argsort(-chance, kind="stable")
    ends = np.flatnonzero(np.diff(chance[order], append=-np.inf))
    return np.cumsum(target[order])[ends], np.cumsum(1 - target[order])[ends]


def _draw_roc(target: Floats, chances: dict[str, Floats]) -> Figure:
    figure, axes = _open("ROC", "false positive rate (share)", "true positive rate (share)")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8)
    for (name, chance), color, dash in zip(chances.items(), COLORS, DASHES, strict=False):
        right, wrong = (np.r_[0, counts] for counts in count_above(target, chance))
        bends = np.r_[True, (np.diff(right, 2) != 0) | (np.diff(wrong, 2) != 0), True]  # others lie on a line
        right, wrong = right[bends] / right[-1], wrong[bends] / wrong[-1]
        axes.plot(*_shorten(wrong, right), color=color, linestyle=dash, linewidth=1.8, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    _legend(figure)
    return figure


def _draw_precision(target: Floats, chances: dict[str, Floats]) -> Figure:
    figure, axes = _open("Precision and recall", "recall (share)", "precision (share)")
    axes.axhline(float(target.mean()), color=FAINT, linewidth=0.8, label="share of all")
    for (name, chance), color, dash in zip(chances.items(), COLORS, DASHES, strict=False):
        right, wrong = (counts[::-1] for counts in count_above(target, chance))
        right, wrong = right[right > 0], wrong[right > 0]
        recall, precision = right / right[0], right / (right + wrong)
        axes.plot(*_shorten(recall, precision), color=color, linestyle=dash, linewidth=1.8, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    _legend(figure)
    return figure


def _draw_reliability(target: Floats, chances: dict[str, Floats]) -> Figure:
    figure, axes = _open("Reliability", "forecast probability", "share that came true")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, label="as forecast")
    for (name, chance), color, dash, mark in zip(chances.items(), COLORS, DASHES, MARKS, strict=False):
        bins = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
        rows = np.bincount(bins, minlength=BINS)
        shown = rows >= FEWEST
        said = np.bincount(bins, chance, BINS)[shown] / rows[shown]
        came = np.bincount(bins, target, BINS)[shown] / rows[shown]
        axes.plot(said, came, color=color, linestyle=dash, marker=mark, markersize=5, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    _legend(figure)
    return figure


def _draw_gains(comparison: Verdicts) -> Figure:
    """Gains over students with intervals: of all rows, and of each group."""
    name = METRICS[comparison.metric]
    whole = [(f"{pair.run} against {pair.against}", "all rows", pair.gain.value, pair.gain.low, pair.gain.high)
             for pair in comparison.pairs]  # fmt: skip
    columns = ["run", "against", "by", "group", "gain", "low", "high"]
    grouped = [
        (f"{run} against {against}", f"{by}: {group}" if by != "opportunity" else group, gain, low, high)
        for run, against, by, group, gain, low, high in (
            comparison.groups[columns].itertuples(index=False) if len(comparison.groups) else ()
        )
    ]
    rows = list(dict.fromkeys(row[1] for row in [*whole, *grouped]))
    pairs = list(dict.fromkeys(row[0] for row in whole))
    height = 1.6 + 0.3 * len(rows) * max(1.0, 0.6 * len(pairs))
    figure, axes = _open(
        f"Gain in {name}, 95 % over students", f"gain in {UNITS[comparison.metric]}; right of 0: better", "", height
    )
    axes.axvspan(-comparison.margin, comparison.margin, color=FAINT, alpha=0.2, linewidth=0)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    for number, (pair, color, mark) in enumerate(zip(pairs, COLORS, MARKS, strict=False)):
        mine = [row for row in [*whole, *grouped] if row[0] == pair]
        at = [rows.index(row[1]) + 0.22 * (number - (len(pairs) - 1) / 2) for row in mine]
        value, low, high = (np.array([row[place] for row in mine]) for place in (2, 3, 4))
        axes.errorbar(value, at, xerr=[value - low, high - value], fmt=mark, color=color, capsize=3, label=pair)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    if len(pairs) > 1:
        _legend(figure)
    return figure


def _draw_lead_time(comparison: Verdicts, chances: dict[str, Floats]) -> Figure:
    """Of students who did struggle with a skill, how many had a place so many attempts before that was plain."""
    axis = "attempts before the struggle was plain (first attempts)"
    figure, axes = _open("Lead time", axis, "strugglers with a place then (share)")
    for run, color, dash, mark in zip(comparison.runs, COLORS, DASHES, MARKS, strict=False):
        shares = find_lead(run, comparison.predictions, chances[run.name])
        axes.plot(shares.index, shares, color=color, linestyle=dash, marker=mark, markersize=4, label=run.name)
    axes.invert_xaxis()
    axes.set_ylim(0, 1.005)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure)
    return figure


def find_lead(run: Run, predictions: pd.DataFrame, chance: Floats) -> "pd.Series[float]":
    """The share of those who struggled that had a place, by attempts before it was plain.

    A student and a skill struggle from the first row on after which mastery was not reached within the attempts that
    are given for it; when these have passed, it is plain. The places of a fold go to its highest forecasts. Attempts
    with few rows are left out.
    """
    settings, horizon = Evaluation(**run.choices["training"]["evaluation"]), int(run.choices["judge"]["horizon"])
    placed = np.zeros(len(predictions), bool)
    for of_fold in predictions.groupby("fold").indices.values():
        placed[of_fold] = give_places(chance[of_fold], settings)
    rows = predictions[["fold", "episode", "opportunity"]].assign(placed=placed)
    rows["struggles"] = rows["opportunity"].where(predictions["target"].round() == 1)
    plain = rows.groupby(["fold", "episode"])["struggles"].transform("min") + horizon
    shares = rows.groupby(plain - rows["opportunity"])["placed"].agg(["mean", "size"])
    within = (shares.index > 0) & (shares.index <= horizon)
    shown: pd.Series[float] = shares.loc[within & (shares["size"] >= FEWEST), "mean"]
    return shown


def _draw_learning(comparison: Verdicts) -> Figure:
    """Each run's metric by the number of students who train; a mean over folds, of the first seed."""
    name = METRICS[comparison.metric]
    figure, axes = _open(f"{name} by students who train", "students who train (logarithmic)", UNITS[comparison.metric])
    ticks: set[int] = set()
    for run, color, dash, mark in zip(comparison.runs, COLORS, DASHES, MARKS, strict=False):
        if run.curve:
            curve = pd.DataFrame(run.curve)
            whole = curve.groupby("share")["fold"].transform("size") == curve["fold"].nunique()  # of every fold
            points = curve[whole].groupby("share")[["students", comparison.metric]].mean()
            ticks |= set(points["students"].round().astype(int))
            axes.plot(points["students"], points[comparison.metric], color=color, linestyle=dash, marker=mark,
                      markersize=5, label=run.name)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks(sorted(ticks), [f"{tick:,}" for tick in sorted(ticks)])
    axes.minorticks_off()
    _legend(figure)
    return figure


def _draw_folds(comparison: Verdicts) -> Figure:
    """Each run's metric in each fold; a gain that one fold makes alone is no gain."""
    name = METRICS[comparison.metric]
    figure, axes = _open(f"{name} by fold, mean over seeds", "fold (number)", UNITS[comparison.metric])
    for run, color, mark in zip(comparison.runs, COLORS, MARKS, strict=False):
        means = run.table.groupby("fold", sort=False)[comparison.metric].mean()
        axes.plot(range(len(means)), means, color=color, linestyle="", marker=mark, markersize=6, label=run.name)
    labels = [fold.removeprefix("whole log, fold ").replace(", ", "\n") for fold in means.index]
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", labelrotation=0 if len(labels) <= MOST_LEVEL else 90)
    _legend(figure)
    return figure


MOST_LEVEL = 5
"""Folds whose names have room side by side."""
