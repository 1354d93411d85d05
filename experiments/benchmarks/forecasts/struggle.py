"""`python -m experiments benchmark struggle`: does an open episode end without mastery, at each opportunity.

A row is a first answer of an open episode whose outcome is known: see `training.data.labels`. One model of each kind
learns from all such rows of the training students; it is scored at each opportunity apart, since with every answer
more there is less left to forecast.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from experiments.benchmarks.figures import make_table, peak_mb
from experiments.benchmarks.forecasts.datasets import BenchmarkLog
from experiments.benchmarks.forecasts.report import Report, add_caption, describe_pair, run_benchmark, score_table
from experiments.benchmarks.forecasts.scores import (
    OURS,
    Forecast,
    Score,
    clock,
    find_best_peer,
    pair_with,
    score_forecast,
    to_number,
)
from experiments.benchmarks.forecasts.slices import group_errors
from experiments.benchmarks.forecasts.splits import StudentSplit, build_student_split
from features.errors import InputError
from training.config import TrainingConfig
from training.data.dataset import Block
from training.data.labels import INDETERMINATE, MASTERED, STRUGGLING, label_episodes
from training.evaluation.metrics import evaluate
from training.models.baselines import Baseline, fit_logistic, fit_majority, fit_rule
from training.models.boosting import STRUGGLE, Model, train_model

logger = logging.getLogger("regroup")

SEEN_SHARE = 0.70
"""Share of each test student's first attempts before the cut; the rest shows how undecided episodes ended."""


def evaluate_indeterminate(
    split: StudentSplit, known: npt.NDArray[np.float64], model: Model, config: TrainingConfig
) -> dict[str, Any]:
    """Returns how often rows without a known outcome are flagged, and how flagged and other episodes ended later.

    Args:
        split: The split whose test students are scored.
        known: Forecasts of their rows with a known outcome; a row is flagged from the forecast that places begin at
            among these.
        model: The struggle forecast.
        config: Places and mastery rule.
    """
    threshold = float(np.quantile(known, 1 - config.evaluation.places_share))
    block = split.indeterminate["test"]
    probability = model.predict(block.rows)
    return {
        "rows": len(block),
        "episodes": len(np.unique(block.episode)),
        "flagged_share": _share(probability >= threshold),
        "known_flagged_share": float((known >= threshold).mean()),
        "later": _follow_up(find_undecided(split, config), model, threshold, config),
    }


def find_undecided(split: StudentSplit, config: TrainingConfig) -> Block:
    """Returns the last open row, at the cut, of each test student's episode that is undecided there.

    The cut is where each student has given `SEEN_SHARE` of their first attempts. The targets are the outcomes in the
    whole log, -1 where there is still none.
    """
    timeline, at, vocabulary = split.timeline, split.positions["test"], split.statistics.vocabulary
    block = split.mastery["test"]
    _, start, codes, counts = np.unique(block.student, return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(len(block)) - start[codes]
    before = place < SEEN_SHARE * counts[codes]
    seen = np.zeros(len(timeline.row), bool)
    seen[at[before]] = True
    then = label_episodes(timeline, vocabulary, config.mastery_rule, seen)
    whole = label_episodes(timeline, vocabulary, config.mastery_rule)
    undecided = np.flatnonzero(before & then.open[at] & (then.outcome[at] == INDETERMINATE))
    backwards = undecided[::-1]
    last = np.zeros(len(block), bool)
    last[backwards[np.unique(block.episode[backwards], return_index=True)[1]]] = True
    return replace(block.take(last), target=whole.outcome[at[last]])


def _follow_up(undecided: Block, model: Model, threshold: float, config: TrainingConfig) -> dict[str, Any]:
    decided = undecided.take(undecided.target != INDETERMINATE)
    probability = model.predict(decided.rows)
    flagged, struggled = probability >= threshold, decided.target == STRUGGLING
    area = evaluate(decided, probability, config.evaluation).get("auc") if len(decided) else None
    return {
        "seen_share": SEEN_SHARE,
        "episodes": len(undecided),
        "struggling": int(struggled.sum()),
        "mastered": int((decided.target == MASTERED).sum()),
        "unknown": len(undecided) - len(decided),
        "flagged": int(flagged.sum()),
        "flagged_struggling_share": _share(struggled[flagged]),
        "others_struggling_share": _share(struggled[~flagged]),
        "auc": None if area is None else area.value,
        "auc_low": None if area is None else to_number(area.low),
        "auc_high": None if area is None else to_number(area.high),
    }


def describe_outcomes(later: dict[str, Any]) -> str:
    """Returns what became of undecided episodes, as a sentence."""
    return (
        f"of {later['episodes']:,} episodes undecided at {later['seen_share']:.0%} of a student's answers, "
        f"{later['struggling']:,} struggled later and {later['mastered']:,} mastered;\n"
        f"of those, {later['flagged_struggling_share'] or 0:.0%} of {later['flagged']:,} flagged struggled and "
        f"{later['others_struggling_share'] or 0:.0%} of the others, "
        f"AUC {later['auc']:.4f} ({later['auc_low']:.4f} to {later['auc_high']:.4f})"
    )


def _share(hits: npt.NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None


def measure_struggle(log: BenchmarkLog, config: TrainingConfig) -> Report:
    """Fits baselines and ours on the training students, and scores them at each opportunity of the others.

    Raises:
        InputError: Training or test students show one outcome only.
    """
    split, split_s = clock(lambda: build_student_split(log.events, log.item_skills, log.test_students, config))
    train, test = split.struggle["train"], split.struggle["test"]
    for name, block in split.struggle.items():
        if len(np.unique(block.target)) < 2:  # noqa: PLR2004 - two outcomes
            raise InputError(f"{log.name}: the {name} students show fewer than two outcomes; nothing can be scored")
    logger.info("%s: %d rows to learn from", OURS, len(train))
    model, fit_s = clock(lambda: train_model(STRUGGLE, train, None, config.boosting))
    fits: tuple[Callable[[], Baseline], ...] = (
        lambda: fit_majority(train),
        lambda: fit_rule(train, config.evaluation.rule_wrong_in_a_row),
        lambda: fit_logistic(train),
    )
    timed = [*(clock(fit) for fit in fits), (Baseline(OURS, model.predict), fit_s)]
    forecasts = []
    for baseline, seconds in timed:
        predicted, predict_s = clock(partial(baseline.predict, test.rows))
        forecasts.append(Forecast(baseline.name, predicted, split_s + seconds, predict_s))

    by_opportunity = [
        _score_opportunity(number, test, forecasts, config) for number in np.unique(test.opportunity).tolist()
    ]
    overall = [score_forecast(forecast, test, config.evaluation) for forecast in forecasts]
    probability = forecasts[-1].probability
    figures = {
        "dataset": log.name,
        "rows": len(test),
        "students": len(np.unique(test.student)),
        "results": by_opportunity,
        "overall": [asdict(score) for score in overall],
        "paired": pair_with(find_best_peer(overall), forecasts, test, config.evaluation),
        "lead_time": _lead_time(test, forecasts, config),
        "indeterminate": evaluate_indeterminate(split, probability, model, config),
        "subgroups": group_errors(test, probability, split.statistics.vocabulary, by_episode=True),
        "peak_mb": peak_mb(),
    }
    return Report(
        benchmark="struggle",
        files=f"{log.name}-struggle",
        figures=figures,
        tables=[_show_opportunities(log, by_opportunity), _show_overall(figures, overall)],
        target=test.target,
        forecasts=forecasts,
        best=find_best_peer(overall),
        metrics={
            score.model: {**score.metrics(), **_at_opportunities(score.model, by_opportunity)} for score in overall
        },
    )


def _score_opportunity(
    number: int, test: Block, forecasts: Sequence[Forecast], config: TrainingConfig
) -> dict[str, Any]:
    """Returns one element of `results`: rows with so many opportunities behind them."""
    mine = test.opportunity == number
    block, parts = test.take(mine), [forecast.take(mine) for forecast in forecasts]
    scores = [score_forecast(forecast, block, config.evaluation) for forecast in parts]
    return {
        "opportunity": number,
        "rows": len(block),
        "base_rate": float(block.target.mean()),
        "results": [asdict(score) for score in scores],
        "paired": pair_with(find_best_peer(scores), parts, block, config.evaluation),
    }


def _lead_time(test: Block, forecasts: Sequence[Forecast], config: TrainingConfig) -> dict[str, Any]:
    """Returns precision and recall for the places that staff have, and how many opportunities are left when they do."""
    places = {}
    for forecast in forecasts:
        found = evaluate(test, forecast.probability, config.evaluation, config.mastery_rule.horizon)
        places[forecast.model] = {
            "precision": found["precision_at_places"].value,
            "recall": found["recall_at_places"].value,
            "lead_opportunities": to_number(found["lead_opportunities"].value),
        }
    peers = [{"model": model, **figures} for model, figures in places.items() if model != OURS]
    return {"places_share": config.evaluation.places_share, **places[OURS], "peers": peers}


def _at_opportunities(model: str, by_opportunity: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Returns the AUC at each opportunity, for MLflow."""
    return {
        f"auc_at_{part['opportunity']}": result["auc"]
        for part in by_opportunity
        for result in part["results"]
        if result["model"] == model and result["auc"] is not None
    }


def _show_opportunities(log: BenchmarkLog, by_opportunity: Sequence[dict[str, Any]]) -> Table:
    models = [result["model"] for result in by_opportunity[0]["results"]]
    names = ["opportunity", "rows", "struggling", *models, "regroup minus best peer"]
    table = make_table(f"struggle by opportunity, {log.name}: AUC", [], names)
    for part in by_opportunity:
        paired = part["paired"]
        difference = (
            "-" if paired is None else f"{paired['difference']:+.4f} ({paired['low']:+.4f} to {paired['high']:+.4f})"
        )
        area = ["-" if result["auc"] is None else f"{result['auc']:.4f}" for result in part["results"]]
        table.add_row(str(part["opportunity"]), f"{part['rows']:,}", f"{part['base_rate']:.3f}", *area, difference)
    return table


def _show_overall(figures: dict[str, Any], overall: Sequence[Score]) -> Table:
    table = score_table(
        f"struggle, all {figures['rows']:,} open rows of {figures['students']:,} test students", overall, precision=True
    )
    lead, unknown = figures["lead_time"], figures["indeterminate"]
    left = lead["lead_opportunities"]
    lines = [
        describe_pair(figures["paired"]),
        f"places for {lead['places_share']:.0%}: precision {lead['precision']:.3f}, recall {lead['recall']:.3f}",
    ]
    if left is not None:
        lines.append(f"struggling episodes with a place have {left:.1f} opportunities left when they first get it")
    if unknown["rows"]:
        lines.append(
            f"{unknown['rows']:,} rows have no known outcome; {unknown['flagged_share']:.1%} of them would get a "
            f"place, and {unknown['known_flagged_share']:.1%} of the others"
        )
    if unknown["later"]["auc"] is not None:
        lines.append(describe_outcomes(unknown["later"]))
    return add_caption(table, lines)


benchmark_struggle = partial(run_benchmark, measure_struggle)
"""Prints and writes the figures; returns the exit code 0."""
