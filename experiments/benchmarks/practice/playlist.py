"""`python -m experiments benchmark playlist`: is what came next among its offers, and does progress come true.

On mornings of a real log, students start with a skill that the product, a teacher or they themselves chose. The
playlist of that morning is made by the product's own code from the answers until then, by models of other students. It
offers nothing in which a student is proficient, so `offered_share` is of mornings on which something else came next;
the plain rules fill three offers with skills that are not proficient either, from the first on. `all_mornings` has the
same for every morning, with rules that offer also what is proficient.

Progress: of offers that the student practiced within a week, the expected chance to meet the mastery rule beside what
happened from that attempt on, with undecided outcomes filled in as `struggle` does. What is practiced later has another
forecast by then.

Weights are chosen with `--choose`, on training students; the test students are only reported.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import CHOOSING_SALT, FOLDS, STARTS, BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.data.splits import StudentSplit, build_student_split
from experiments.benchmarks.practice.moments import (
    NOW,
    Morning,
    draw_mornings,
    find_outcomes,
    forecast_mornings,
    list_mornings,
    train_on,
)
from features.console import OUT, write_json
from features.errors import InputError
from features.roster import SkillMap
from serving.models.forecasts import SkillForecast
from serving.plans.practice.playlist import OFFERS, list_offers
from serving.plans.practice.product_order import ProductOrder
from training.config import load_config
from training.data.splits import fold_of_students
from training.evaluation.metrics import calibration_error

SEED = 30
"""Of the students and mornings that are drawn."""

MOST_ECE = 0.02

RESAMPLES = 500

WEEK_US = 7 * 86_400 * 1_000_000

Rule = Callable[[Morning], Sequence[str]]
"""Skills in the order in which a plain rule would offer them."""


@dataclass(frozen=True)
class Looked:
    """One morning, looked at.

    Attributes:
        student: The student.
        offerable: Whether what came next was not proficient.
        offered: Chance that the playlist offered what came next.
        rules: By rule: whether it offered that, among what is not proficient, and among everything.
        progress: Of the offers that were practiced within a week: expected progress, and what came of it.
    """

    student: int
    offerable: bool
    offered: float
    rules: Mapping[str, tuple[bool, bool]]
    progress: tuple[tuple[float, float], ...]


def benchmark_playlist(
    data_set: str,
    *,
    students: int,
    mornings: int,
    choose: bool = False,
    data: Path | None = None,
    config: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints and writes the figures; the exit code is 1 where a goal was missed.

    Args:
        data_set: Name of the log.
        students: How many the models learn from, at most; a third as many are asked about.
        mornings: How many mornings are looked at, at most.
        choose: Whether to look at training students instead of those of the test.
        data: Holds the logs; null = `REGROUP_DATA`.
        config: TOML whose values replace the training defaults.
        json_path: Where the figures are written too.

    Raises:
        InputError: The log has no clock or is not there, or a number is too small.
    """
    if data_set not in STARTS:
        raise InputError(f"{data_set} has no clock, so that it has no mornings; take {', '.join(STARTS)}")
    if min(students, mornings) < 3:  # noqa: PLR2004 - a third of them is asked about
        raise InputError(f"--students {students} and --mornings {mornings} must be at least 3")
    OUT.print(f"reading {data_set}", style="dim")
    log = read_data_set(data_set, data)
    learn, asked = _draw_students(log, students, choose=choose)
    events = log.events[log.events["student_id"].isin(learn.append(asked))].reset_index(drop=True)
    split = build_student_split(events, log.item_skills, asked, load_config(config))
    OUT.print(f"training on {len(learn)} students", style="dim")
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        train_on(split, Path(place))
        chosen = draw_mornings(list_mornings(split, "test"), mornings, SEED)
        if not chosen:
            raise InputError("no student came back for a second day; take more students")
        OUT.print(f"looking at {len(chosen)} mornings", style="dim")
        forecasts = forecast_mornings(split, events, log.item_skills, chosen, Path(place))
    looked = look_at(split, chosen, forecasts)
    figures = {"dataset": data_set, "learned_from": len(learn), **summarize(looked)}
    _show(figures)
    goals = {"offered_share": figures["offered_share"] >= figures["best_rule_share"], "ece": figures["ece"] <= MOST_ECE}
    missed = [name for name, reached in goals.items() if not reached]
    OUT.print(f"goals missed: {', '.join(missed) or 'none'}", markup=False, highlight=False)
    write_json(json_path, figures)
    return 1 if missed else 0


def _draw_students(log: BenchmarkLog, most: int, *, choose: bool) -> "tuple[pd.Index[str], pd.Index[str]]":
    """Students to learn from, and others to ask about."""
    training = pd.Index(log.events["student_id"].unique(), dtype="str").difference(log.test_students, sort=True)
    apart = fold_of_students(training, FOLDS, CHOOSING_SALT) == 0
    random = np.random.default_rng(SEED)

    def draw(students: "pd.Index[str]", count: int) -> "pd.Index[str]":
        at = random.permutation(len(students))[:count]
        return students[np.sort(at)]

    asked = training[apart] if choose else log.test_students.sort_values()
    return draw(training[~apart], most), draw(asked, most // 3)


def look_at(
    split: StudentSplit, mornings: Sequence[Morning], forecasts: Mapping[str, Sequence[SkillForecast]]
) -> list[Looked]:
    """What the playlist and the plain rules would have offered on each morning, beside what came.

    Args:
        split: The students.
        mornings: Of those who are asked about.
        forecasts: By the name of the morning.
    """
    order, outcomes = ProductOrder.of(split.statistics), find_outcomes(split, "test")
    rules = make_rules(list_mornings(split, "train"))
    found = []
    for morning in mornings:
        known = forecasts.get(morning.name, [])
        done = {each.skill for each in known if each.status == "proficient" or each.forgotten}
        offers = list_offers(morning.name, known, SkillMap({}, {}), {}, NOW.date(), order)
        later = outcomes.get(morning.student, {})
        week = split.timeline.time[morning.event] + WEEK_US
        progress = [
            (offer.expected_progress, happened[0])
            for offer in offers
            if offer.offered
            and offer.expected_progress is not None
            and (
                happened := [
                    came
                    for event, came in later.get(offer.skill, ())
                    if event >= morning.event and split.timeline.time[event] < week
                ]
            )
        ]
        found.append(
            Looked(
                student=morning.student,
                offerable=morning.next not in done,
                offered=sum(offer.probability for offer in offers if offer.skill == morning.next),
                rules={name: _offers_it(rule(morning), morning.next, done) for name, rule in rules.items()},
                progress=tuple(progress),
            )
        )
    return found


def make_rules(mornings: Sequence[Morning]) -> dict[str, Rule]:
    """The plain rules, learned from the mornings of other students; each goes on with what most mornings start with."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    anywhere: Counter[str] = Counter(morning.next for morning in mornings)
    for morning in mornings:
        after[morning.last][morning.next] += 1
    popular = [skill for skill, _ in anywhere.most_common()]
    return {
        "most practiced next skill": lambda morning: [*_ranked(after[morning.last]), *popular],
        "most practiced skill": lambda _: popular,
        "latest skills of the student": lambda morning: [*morning.recent, *popular],
        "most practiced skills of the student": lambda morning: [*_ranked(morning.before), *popular],
    }


def _ranked(counts: Mapping[str, int]) -> list[str]:
    return [skill for skill, _ in Counter(counts).most_common()]


def _offers_it(ranked: Sequence[str], skill: str, done: set[str]) -> tuple[bool, bool]:
    """Whether a skill is among the first that are not done, and among the first of all."""
    each = list(dict.fromkeys(ranked))
    return skill in [one for one in each if one not in done][:OFFERS], skill in each[:OFFERS]


def summarize(looked: Sequence[Looked]) -> dict[str, Any]:
    """All figures, with 95 % intervals over resampled students."""
    student = np.unique([one.student for one in looked], return_inverse=True)[1]
    counts = np.random.default_rng(1).multinomial(
        student.max() + 1, [1 / (student.max() + 1)] * (student.max() + 1), RESAMPLES
    )
    offerable = np.array([one.offerable for one in looked])
    offered = np.array([one.offered for one in looked])
    rules = {name: np.array([one.rules[name] for one in looked]) for name in looked[0].rules}

    def share(hits: npt.NDArray[Any], kept: npt.NDArray[np.bool_]) -> dict[str, Any]:
        top = np.bincount(student[kept], hits[kept], student.max() + 1)
        below = np.bincount(student[kept], minlength=student.max() + 1)
        drawn = (counts @ top) / (counts @ below)
        return {"value": float(hits[kept].mean()), "interval": np.quantile(drawn, [0.025, 0.975]).tolist()}

    every = np.ones(len(looked), bool)
    by_rule = {name: share(hits[:, 0], offerable) for name, hits in rules.items()}
    best = max(by_rule, key=lambda name: by_rule[name]["value"])
    ours = share(offered, offerable)
    pairs = [
        (expected, came, one) for one, each in zip(student, looked, strict=True) for expected, came in each.progress
    ]
    expected, came = (np.array([pair[part] for pair in pairs], float) for part in (0, 1))
    owner = np.array([pair[2] for pair in pairs])
    drawn = []
    for count in counts[:200]:
        at = np.repeat(np.arange(len(owner)), count[owner])
        drawn.append(calibration_error(expected[at], came[at]))
    return {
        "mornings": len(looked),
        "students": int(student.max()) + 1,
        "offerable_share": float(offerable.mean()),
        "offered_share": ours["value"],
        "offered_share_interval": ours["interval"],
        "best_rule": best,
        "best_rule_share": by_rule[best]["value"],
        "best_rule_share_interval": by_rule[best]["interval"],
        "ahead_by": share(offered - rules[best][:, 0], offerable),
        "rules": by_rule,
        "all_mornings": {
            "offered_share": share(offered, every),
            "rules": {name: share(hits[:, 1], every) for name, hits in rules.items()},
        },
        "offers_followed": len(pairs),
        "expected_progress": float(expected.mean()),
        "progress": float(came.mean()),
        "ece": calibration_error(expected, came),
        "ece_interval": np.quantile(drawn, [0.025, 0.975]).tolist(),
    }


def _show(figures: Mapping[str, Any]) -> None:
    def words(share: Mapping[str, Any]) -> str:
        return f"{share['value']:.3f} ({share['interval'][0]:.3f} to {share['interval'][1]:.3f})"

    title = f"what came next was among three offers: {figures['mornings']} mornings of {figures['students']} students"
    table = make_table(title, ["by"], ["not proficient yet", "every morning, rules offer anything"])
    ours = {"value": figures["offered_share"], "interval": figures["offered_share_interval"]}
    table.add_row("the playlist", words(ours), words(figures["all_mornings"]["offered_share"]))
    for name, share in figures["rules"].items():
        table.add_row(name, words(share), words(figures["all_mornings"]["rules"][name]))
    print_tables(table)
    low, high = figures["ece_interval"]
    OUT.print(
        f"progress of {figures['offers_followed']} offers: expected {figures['expected_progress']:.3f}, came "
        f"{figures['progress']:.3f}, calibration error {figures['ece']:.3f} ({low:.3f} to {high:.3f})",
        markup=False,
        highlight=False,
    )
