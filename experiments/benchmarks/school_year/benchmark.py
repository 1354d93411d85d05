"""`python -m experiments benchmark school-year`: the 2012 log night by night, with and without planted faults.

Limits were chosen on the nights until the end of January; those from February on have judged nothing but the result,
and are counted apart.
"""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import STARTS, read_data_set
from experiments.benchmarks.long_work import keep_once
from experiments.benchmarks.nights import use_store
from experiments.benchmarks.school_year.champions import Night, count_days_to_recover, run_nights
from experiments.benchmarks.school_year.plants import FAULTS, plant
from experiments.benchmarks.school_year.replay import Replayed, Serving, find_breaks, replay_year
from features.console import write_json
from training.config import Checks, TrainingConfig, load_config
from training.nightly.checks import judge_night
from training.nightly.checks.measures import ALL, Measures
from training.nightly.findings import Finding
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")

LOG = "assistments-2012"

START = STARTS[LOG].to_pydatetime()
"""The first day of the log."""

CHOSEN_UNTIL = datetime(2013, 2, 1, tzinfo=UTC)
"""Nights before it were looked at when the limits were chosen."""

FIRST, END = START + timedelta(days=35), START + timedelta(days=365)
"""The first night on the sample, and the end of the year."""

DECAY = START + timedelta(days=147)
"""When items are renumbered; the nights on the sample stand on it."""

SEEDS, WITHIN = 50, 3
"""Faults of each kind, and the nights in which each is to be named."""

AROUND = timedelta(days=10)
"""Nights before and after a break in which no alarm may be raised."""

GOALS = {"false_alarms": 3, "alarms_around_breaks": 0, "named": 0.95, "promotion_regret_auc": 0.002}

QUICK = {
    "boosting": {"rounds": 200, "learning_rate": 0.1, "leaves": 31, "patience": 10},
    "evaluation": {"bootstrap": 100},
}
"""Choices that make a training on the sample take seconds."""


@dataclass(frozen=True)
class Year:
    """What of the benchmark does not depend on limits.

    Attributes:
        regrets: AUC that each night's choice on the sample lost.
        regrets_without_chance: The same without what the best of several is ahead by chance.
        champions: How many models served.
        days_to_recover: From the planted decay to a better champion; null if none came.
        nights: Every night, with all students.
        breaks: First and last day of each.
    """

    regrets: list[float]
    regrets_without_chance: list[float]
    champions: int
    days_to_recover: int | None
    nights: list[Replayed]
    breaks: list[tuple[datetime, datetime]]


def benchmark_school_year(
    data: Path | None = None,
    students: int = 2000,
    every: int = 28,
    keep: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints the figures and returns the exit code: 1 if a goal is missed.

    Args:
        data: Holds the logs; null = `REGROUP_DATA`.
        students: Of the sample that models are trained on.
        every: Days from one training to the next.
        keep: Where the measured year is kept, or read from; null = it is measured and forgotten.
        json_path: Where to write the figures; null = nowhere.
    """
    year = keep_once(keep, f"year-{students}-{every}", lambda: measure_year(data, students, every, keep))
    figures = judge_year(year, load_config().checks)
    _print(figures)
    write_json(json_path, figures)
    named = figures["named_within_3_nights"]
    met = (
        figures["false_alarms"] <= GOALS["false_alarms"]
        and figures["alarms_around_breaks"] <= GOALS["alarms_around_breaks"]
        and min(named.values()) >= GOALS["named"]
        and figures["promotion_regret_auc"] <= GOALS["promotion_regret_auc"]
    )
    return 0 if met else 1


def measure_year(data: Path | None, students: int, every: int, keep: Path | None) -> Year:
    """Trains on the sample every few weeks, and measures every night with all students."""
    log = read_data_set(LOG, data)
    events = log.events.assign(occurred_at=log.events["occurred_at"] + (START - datetime(1970, 1, 1, tzinfo=UTC)))
    ids = events["student_id"].unique()
    chosen = np.random.default_rng(20).choice(ids, size=min(students, len(ids)), replace=False)
    sample = events[events["student_id"].isin(chosen)].reset_index(drop=True)
    config = _quick_config()
    moments = [FIRST + timedelta(days=day) for day in range(0, (END - FIRST).days, every)] + [END]
    place = tempfile.TemporaryDirectory(prefix="regroup-") if keep is None else nullcontext(str(keep))
    with place as root:
        folder = Path(root) / "sample"

        def train() -> tuple[list[Night], int | None]:
            early = [moment for moment in moments if moment <= DECAY]
            nights = run_nights(folder, sample, log.item_skills, [*early, moments[len(early)]], config)
            after = [moment for moment in moments if moment > DECAY]
            recovered = count_days_to_recover(folder, nights, sample, log.item_skills, [early[-1], *after], config)
            return nights + run_nights(folder, sample, log.item_skills, after, config), recovered

        nights, recovered = keep_once(keep, f"nights-{students}-{every}", train)
        with use_store(folder / "store"):
            serving = [
                Serving(night.moment, night.champion, Tracking().fetch_model(night.champion, "mastery"))
                for before, night in zip([None, *nights], nights, strict=False)
                if before is None or before.champion != night.champion
            ]
        measured = list(replay_year(events, log.item_skills, serving, END))
    by_day = events.groupby(events["occurred_at"].dt.floor("D"))["student_id"].nunique().asfreq("D", fill_value=0)
    regrets = [night.regret for night in nights]
    fair = [night.regret_without_chance for night in nights]
    return Year(regrets, fair, len(serving), recovered, measured, find_breaks(by_day))


def judge_year(year: Year, checks: Checks) -> dict[str, Any]:
    """Judges every night, and every planted fault."""
    history: list[Measures] = []
    alarms: list[tuple[datetime, Finding]] = []
    tested = []
    for replayed in year.nights:
        findings, kept = judge_night(history, replayed.measures, frozenset(), checks)
        alarms += [(kept.moment, finding) for finding in findings if finding.level in ("alarm", "stop")]
        if any(each.name == "base_rate" and each.limit is not None for each in findings):
            tested.append(len(history))
        history.append(kept)
    school_nights = [night for night in history if ALL in night.figures]
    wolf = sorted({moment for moment, _ in alarms})
    near = [m for m in wolf if any(first - AROUND <= m <= last + AROUND for first, last in year.breaks)]
    named = {fault: _share_named(fault, year, history, tested, checks) for fault in FAULTS}
    fresh = [at for at in tested if history[at].moment >= CHOSEN_UNTIL]
    named_later = {fault: _share_named(fault, year, history, fresh, checks) for fault in FAULTS} if fresh else {}
    regret = float(np.mean(year.regrets))
    return {
        "nights": len(history),
        "school_nights": len(school_nights),
        "nights_with_limits": len(tested),
        "false_alarms": len(wolf),
        "false_alarms_after_choosing": sum(moment >= CHOSEN_UNTIL for moment in wolf),
        "alarms": [f"{moment.date()} {each.school or 'all'}: {each.name}" for moment, each in alarms],
        "breaks": [f"{first.date()} to {last.date()}" for first, last in year.breaks],
        "alarms_around_breaks": len(near),
        "named_within_3_nights": named,
        "named_within_3_nights_after_choosing": named_later,
        "seeds": SEEDS,
        "training_nights": len(year.regrets),
        "champions": year.champions,
        "promotion_regret_auc": regret,
        "promotion_regret_auc_without_chance": float(np.mean(year.regrets_without_chance)),
        "regret_by_night": [round(each, 5) for each in year.regrets],
        "days_from_decay_to_better_champion": year.days_to_recover,
    }


def _share_named(fault: str, year: Year, history: Sequence[Measures], tested: Sequence[int], checks: Checks) -> float:
    """The share of faults that an alarm names within three school nights with limits.

    A fault is on every night until then, also on those without school or limits, such as after a break.
    """
    named = 0
    nights = [at for at in tested[: -WITHIN + 1] if at >= tested[0]]
    for seed in range(SEEDS):
        at = int(np.random.default_rng([seed, 7]).choice(len(nights)))
        begin, end = tested[at], tested[at + WITHIN - 1]
        faulty, school, name = plant(fault, year.nights[begin : end + 1], seed)
        past = list(history[:begin])
        for night in faulty:
            findings, kept = judge_night(past, night, frozenset(), checks)
            past.append(kept)
            if any(f.level == "alarm" and f.school == school and name in ("", f.name) for f in findings):
                named += 1
                break
    return named / SEEDS


def _quick_config() -> TrainingConfig:
    chosen = load_config()
    changes = {section: getattr(chosen, section).model_copy(update=values) for section, values in QUICK.items()}
    return chosen.model_copy(update=changes)


def _print(figures: Mapping[str, Any]) -> None:
    table = make_table("a school year night by night", ("what",), ("figure", "goal"))
    nights = f"of {figures['school_nights']} school nights"
    rows = [
        (f"nights with a false alarm, {nights}", str(figures["false_alarms"]), f"≤ {GOALS['false_alarms']}"),
        ("of these after January, when limits were fixed", str(figures["false_alarms_after_choosing"]), ""),
        ("around breaks", str(figures["alarms_around_breaks"]), f"{GOALS['alarms_around_breaks']}"),
    ]
    rows += [
        (f"planted {fault} named within {WITHIN} nights", f"{share:.2f}", f"≥ {GOALS['named']}")
        for fault, share in figures["named_within_3_nights"].items()
    ]
    rows += [
        (f"planted {fault}, of nights after January", f"{share:.2f}", "")
        for fault, share in figures["named_within_3_nights_after_choosing"].items()
    ]
    days = figures["days_from_decay_to_better_champion"]
    rows += [
        ("AUC that promotions lost", f"{figures['promotion_regret_auc']:.4f}", f"≤ {GOALS['promotion_regret_auc']}"),
        ("the same, chosen and judged by other students", f"{figures['promotion_regret_auc_without_chance']:.4f}", ""),
        ("days from a decay to a better champion", "none came" if days is None else str(days), ""),
    ]
    for row in rows:
        table.add_row(*row)
    print_tables(table)
    for alarm in figures["alarms"]:
        logger.info("alarm %s", alarm)
