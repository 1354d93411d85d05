"""`python -m experiments benchmark short-practice`: a forecast that short practice does not bias, judged by the truth.

A log of long practice is cut as a product with short sets would have given it: a student stops at the mastery rule,
at the end of a set of five to eight questions, or drops out. Forecasts learn from the cut log of some students and
are judged on the uncut log of others: the outcome of the next ten answers after each row, where these show it. Beside
ours stand `uncut`, which learned from the uncut log, and the direct form, which learned from the decided outcomes
of the cut log. Only students and skills with seventeen answers or more take part, so that every outcome that judges
was seen and no row is chosen by it.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import BenchmarkLog, read_data_set
from experiments.benchmarks.forecasts.data.splits import StudentSplit, build_student_split
from experiments.benchmarks.forecasts.figures.scores import paired_auc
from features.console import track, write_json
from features.profiles.fold import Rows
from features.profiles.kernel import COLUMNS
from training.config import TrainingConfig, load_config
from training.data.dataset import Block
from training.evaluation.agreement import compare_with_facts
from training.evaluation.metrics import area_under_curve, calibration_error, log_losses
from training.models.boosting import STRUGGLE, train_model

logger = logging.getLogger("regroup")

Floats = npt.NDArray[np.float64]
Predict = Callable[[Rows], Floats]

DATA_SET, STUDENTS, SEED = "assistments-2012", 25_000, 20
"""The log that is cut, how many of its students are drawn, and the seed of all draws."""

LAST_JUDGED = 7
"""The last opportunity that judges; later ones are told apart."""

HORIZON = 10
"""Answers ahead that a forecast asks for."""

LONG_ENOUGH = LAST_JUDGED + HORIZON
"""Answers on a skill from which a student takes part with it: every outcome that judges was seen, whatever it was."""

TEST_SHARE = 0.35
"""Share of students who judge."""

SETS = (5, 8)
"""Questions of a set, fewest and most; who begins a skill with the same question gets a set of the same size."""

DROPS_FROM = 3
"""The answer from which a student may drop out."""

DROPS_AFTER_WRONG, DROPS_AFTER_RIGHT = 0.12, 0.04
"""Chance of dropping out after a wrong and after a right answer."""

AGAIN_IF_WEAK, AGAIN_ELSE = 0.30, 0.10
"""Chance of a second set where less than half of the first was right, and elsewhere."""

LATE = (10, 40)
"""First and last opportunity of late rows: of students who never met the rule before, and went on for ten more."""

LARGE_CELL = 500
"""Rows from which a cell of facts, attempts so far and share right, counts."""


@dataclass(frozen=True)
class Cut:
    """How a log is cut.

    Attributes:
        name: For the table.
        long_share: Share of student-skills that stay as they are.
        repeats: Whether some sets are followed by a second one.
    """

    name: str
    long_share: float
    repeats: bool = False


CUTS = (Cut("15 % long", 0.15), Cut("repeated sets", 0.0, repeats=True), Cut("nobody long", 0.0))


def benchmark_short_practice(
    *, data: Path | None = None, config: Path | None = None, json_path: Path | None = None, students: int = STUDENTS
) -> int:
    """Prints and writes the figures of every cut and of long practice as it is; returns the exit code 0.

    Raises:
        InputError: The log or the configuration cannot be read, or a file cannot be written.
    """
    settings = load_config(config)
    log = draw_students(read_data_set(DATA_SET, data), students)
    figures = measure_short_practice(log, settings)
    figures["long_practice"] = [
        measure_long_practice(part, settings)
        for part in (log, draw_students(read_data_set("gervet-assistments09", data), students))
    ]
    _show(figures)
    write_json(json_path, figures)
    return 0


def draw_students(log: BenchmarkLog, most: int) -> BenchmarkLog:
    """Returns the log of as many students, drawn at random; those who judge are drawn among them."""
    random = np.random.default_rng(SEED)
    ids = np.sort(log.events["student_id"].unique())
    kept = random.permutation(ids)[:most]
    events = log.events[log.events["student_id"].isin(kept)].reset_index(drop=True)
    test = pd.Index(kept[: round(TEST_SHARE * len(kept))], dtype="str")
    return replace(log, events=events, test_students=test, scored=events["student_id"].isin(test).to_numpy())


def measure_short_practice(log: BenchmarkLog, config: TrainingConfig) -> dict[str, Any]:
    """Returns the figures of each cut, and of each figure the median over the cuts."""
    events, practice = find_long_practice(log)
    whole = build_student_split(events, log.item_skills, log.test_students, config)
    train = whole.struggle["train"]
    uncut = train_model(STRUGGLE, train.take(train.decided), None, config.boosting)
    in_test = events["student_id"].isin(log.test_students).to_numpy()
    variants = []
    for cut in track(CUTS, "cuts", total=len(CUTS)):
        kept = in_test | cut_short(events, practice, cut, config)
        split = build_student_split(events[kept].reset_index(drop=True), log.item_skills, log.test_students, config)
        cut_train = split.fill("train")
        ours = train_model(STRUGGLE, cut_train, None, config.boosting)
        decided = cut_train.take(cut_train.decided)
        direct = None
        if 0 < decided.target.mean() < 1:
            direct = train_model(STRUGGLE, decided, None, config.boosting)
        variants.append(
            {
                "variant": cut.name,
                "answers_per_skill": float(
                    np.median(np.bincount(np.unique(practice[kept & ~in_test], return_inverse=True)[1]))
                ),
                "undecided_share": float(1 - cut_train.decided.mean()),
                **_judge(whole, split, uncut.predict, ours.predict, None if direct is None else direct.predict, config),
            }
        )
        logger.info("%s: AUC %.4f, the uncut log's %.4f", cut.name, variants[-1]["auc"], variants[-1]["uncut"]["auc"])
    return {
        "dataset": log.name,
        "students": len(np.unique(events["student_id"])),
        **_median(variants),
        "variants": variants,
    }


def find_long_practice(log: BenchmarkLog) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Returns the events of students on skills that they gave `LONG_ENOUGH` answers on, and a code of each pair."""
    skills = log.item_skills.groupby("item_id")["skill_id"].agg(lambda names: "+".join(sorted(names)))
    skill = log.events["item_id"].map(skills)
    code = (log.events["student_id"] + "\n" + skill).where(skill.notna())
    counts = code.map(code.value_counts())
    kept = (counts >= LONG_ENOUGH).to_numpy()
    return log.events[kept].reset_index(drop=True), pd.factorize(code[kept])[0].astype(np.int64)


def cut_short(
    events: pd.DataFrame, practice: npt.NDArray[np.int64], cut: Cut, config: TrainingConfig
) -> npt.NDArray[np.bool_]:
    """Marks the events that are left when each student's practice of a skill is cut as short sets would have."""
    random = np.random.default_rng(SEED)
    order = np.argsort(practice, kind="stable")  # within a practice, events stay in time order
    begin = np.flatnonzero(np.diff(practice[order], prepend=-1))
    end = np.append(begin[1:], len(order))
    correct = events["correct"].to_numpy(dtype=bool)[order]
    item = events["item_id"].to_numpy()[order]
    size_of: dict[str, int] = {}
    kept = np.zeros(len(order), bool)
    for first, stop in zip(begin.tolist(), end.tolist(), strict=True):
        answers = correct[first:stop]
        if random.random() < cut.long_share:
            count = len(answers)
        else:
            size = size_of.setdefault(item[first], int(random.integers(SETS[0], SETS[1] + 1)))
            count = _stop(answers, size, cut, config.mastery_rule.streak, random)
        kept[first : first + count] = True
    marked = np.zeros(len(order), bool)
    marked[order] = kept
    return marked


def _stop(answers: npt.NDArray[np.bool_], size: int, cut: Cut, streak: int, random: np.random.Generator) -> int:
    """Returns after how many answers practice ends."""
    run, until, may_repeat = 0, size, cut.repeats
    for number, is_right in enumerate(answers.tolist(), start=1):
        run = run + 1 if is_right else 0
        if run >= streak:
            return number
        if number == until:
            weak = answers[:number].mean() < 0.5  # noqa: PLR2004 - less than half right
            if not (may_repeat and random.random() < (AGAIN_IF_WEAK if weak else AGAIN_ELSE)):
                return number
            until, may_repeat = number + size, False
        elif number >= DROPS_FROM and random.random() < (DROPS_AFTER_RIGHT if is_right else DROPS_AFTER_WRONG):
            return number
    return len(answers)


def _judge(
    whole: StudentSplit,
    split: StudentSplit,
    uncut: Predict,
    ours: Predict,
    direct: Predict | None,
    config: TrainingConfig,
) -> dict[str, Any]:
    """Scores the forecasts on the uncut outcomes of the students who judge; `direct` is null without both outcomes."""
    truth, seen = whole.struggle["test"], split.mastery["test"]
    seen = seen.take(seen.run < config.mastery_rule.streak)
    early = truth.decided & (truth.opportunity <= LAST_JUDGED)
    block = truth.take(early)
    best, mine = uncut(block.rows), ours(seen.rows[early])
    found = {
        "rows": len(block),
        "struggled": float(block.target.mean()),
        **_figures(block, mine),
        "uncut": _figures(block, best),
        "direct": None if direct is None else _figures(block, direct(seen.rows[early])),
    }
    found["auc_loss"] = found["uncut"]["auc"] - found["auc"]
    found["log_loss_excess"] = found["log_loss"] - found["uncut"]["log_loss"]
    gone_on = _answers_after(whole, truth)
    stuck = truth.rows[:, COLUMNS.index("skill_best_streak")] < config.mastery_rule.streak
    late = stuck & (truth.opportunity >= LATE[0]) & (truth.opportunity <= LATE[1]) & (gone_on >= HORIZON)
    block = truth.take(late)
    wrong = 1 - block.right / np.maximum(block.opportunity, 1)
    forecast = ours(seen.rows[late])
    areas = {
        "auc": area_under_curve(block.target, forecast),
        "share_wrong_auc": area_under_curve(block.target, wrong),
        "uncut_auc": area_under_curve(block.target, uncut(block.rows)),
    }
    above = paired_auc(block, forecast, wrong, config.evaluation)
    between = {"low": above.low, "high": above.high}
    return {**found, "late": {"rows": int(late.sum()), **areas, "above_share_wrong": above.value, **between}}


def _answers_after(split: StudentSplit, truth: Block) -> npt.NDArray[np.int64]:
    """Returns how many answers each row's student gave on its skill from there on."""
    everything = split.mastery["test"]
    episodes, counts = np.unique(everything.episode, return_counts=True)
    return counts[np.searchsorted(episodes, truth.episode)] - truth.opportunity


def _figures(block: Block, probability: Floats) -> dict[str, Any]:
    target = block.target.astype(np.float64)
    hard = (block.opportunity >= 3) & (block.right == 0)  # noqa: PLR2004 - three attempts or more, all wrong
    cells = compare_with_facts(block, probability, LARGE_CELL, by_run=False)
    worst = max(cells, key=lambda cell: abs(cell.gap), default=None)
    return {
        "auc": area_under_curve(target, probability),
        "log_loss": float(log_losses(target, probability).mean()),
        "ece": calibration_error(probability, target),
        "all_wrong": {
            "rows": int(hard.sum()),
            "forecast": float(probability[hard].mean()),
            "observed": float(target[hard].mean()),
        },
        "largest_cell": None if worst is None else abs(worst.gap),
        "largest_cell_facts": None if worst is None else worst.words,
        "by_opportunity": {
            str(number): float((probability - target)[block.opportunity == number].mean()) for number in (2, 3, 5)
        },
    }


MEDIANS = ("auc", "auc_loss", "log_loss", "log_loss_excess", "ece", "largest_cell")


def _median(variants: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {name: float(np.median([part[name] for part in variants])) for name in MEDIANS}
    found["all_wrong"] = {
        name: float(np.median([part["all_wrong"][name] for part in variants])) for name in ("forecast", "observed")
    }
    found["late_above_share_wrong"] = float(np.median([part["late"]["above_share_wrong"] for part in variants]))
    return found


def measure_long_practice(log: BenchmarkLog, config: TrainingConfig) -> dict[str, Any]:
    """Returns our AUC minus that of the direct form on a log as it is: whether filling in does harm.

    `decided` are all rows whose outcome was seen, where mastery shows after three answers and struggling after ten;
    `long` are those that ten more answers followed, whatever came of them.
    """
    split = build_student_split(log.events, log.item_skills, log.test_students, config)
    train, test = split.struggle["train"], split.struggle["test"]
    ours = train_model(STRUGGLE, train, None, config.boosting)
    direct = train_model(STRUGGLE, train.take(train.decided), None, config.boosting)
    found: dict[str, Any] = {"dataset": log.name}
    for name, mine in (("decided", test.decided), ("long", test.decided & (_answers_after(split, test) >= HORIZON))):
        block = test.take(mine)
        difference = paired_auc(block, ours.predict(block.rows), direct.predict(block.rows), config.evaluation)
        found[name] = {"rows": len(block), **asdict(difference)}
    return found


def _show(figures: dict[str, Any]) -> None:
    names = (
        "AUC",
        "minus uncut",
        "log-loss minus uncut",
        "ECE",
        ">= 3 all wrong",
        "struggled",
        "largest cell",
        "late",
    )
    table = make_table(f"cut practice, {figures['dataset']}: judged on uncut outcomes", ["cut", "form"], names)
    for part in figures["variants"]:
        for form in ("ours", "direct", "uncut"):
            found = part if form == "ours" else part[form]
            if found is None:
                continue
            table.add_row(
                part["variant"], form, f"{found['auc']:.4f}", f"{found['auc'] - part['uncut']['auc']:+.4f}",
                f"{found['log_loss'] - part['uncut']['log_loss']:+.4f}", f"{found['ece']:.3f}",
                f"{found['all_wrong']['forecast']:.2f}", f"{found['all_wrong']['observed']:.2f}",
                f"{found['largest_cell']:.3f}", f"{part['late']['above_share_wrong']:+.3f}" if form == "ours" else "",
            )  # fmt: skip
    title = "practice as it is: filled in minus decided rows alone"
    long = make_table(title, ["log"], ["decided rows", "AUC", "rows with ten more answers", "AUC"])
    for part in figures.get("long_practice", ()):
        cells = []
        for name in ("decided", "long"):
            found = part[name]
            cells += [f"{found['rows']:,}", f"{found['value']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})"]
        long.add_row(part["dataset"], *cells)
    print_tables(table, long)
