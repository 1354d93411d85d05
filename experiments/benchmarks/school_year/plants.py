"""Faults planted into nights that were measured: what a night would have measured had the fault begun then.

Answers are changed one by one and measured anew by the product's function; a column's mean is moved as it would have
been. What a fault does to profiles beside that is left out, so that it is found later here than in truth, if anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from experiments.benchmarks.school_year.replay import SCHOOLS, Replayed
from training.nightly.checks.measures import COLUMN, Answers, Figure, Measures, join_figures, measure_answers

SHIFT, POINTS = 0.25, 0.03
"""Standard deviations that a column is moved by, and share of answers that the base rate is moved by."""

FAULTS = ("column", "base_rate", "mapping")


def plant(fault: str, nights: Sequence[Replayed], seed: int) -> tuple[list[Measures], str, str]:
    """Plants a fault into nights in a row.

    Args:
        fault: One of `FAULTS`: one column of all profiles is moved; answers of all schools turn right, or wrong; one
            school's mapping takes wrong for right, or items and skills that nobody knows.
        nights: The nights from the first with the fault on.
        seed: Draws the column, the direction, the school and the kind.

    Returns:
        The nights with the fault, and the school and the name of a finding about it; the name is empty where any does.
    """
    random = np.random.default_rng([seed, FAULTS.index(fault)])
    if fault == "column":
        names = sorted(name for name in nights[0].measures.figures[""] if name.startswith(COLUMN))
        name, sign = str(random.choice(names)), float(random.choice([-1, 1]))
        moved = [move_column(night.measures, name, sign * SHIFT) for night in nights]
        return moved, "", f"drift of {name.removeprefix(COLUMN)}"
    if fault == "base_rate":
        points = float(random.choice([-1, 1])) * POINTS
        return [_measure_again(night, turn_answers(night.answers, points, random)) for night in nights], "", "base_rate"
    school, swapped = f"school-{random.integers(SCHOOLS)}", bool(random.integers(2))
    change = swap_outcomes if swapped else lose_ids
    return [_measure_again(night, change(night.answers, school)) for night in nights], school, ""


def move_column(night: Measures, name: str, shift: float) -> Measures:
    """The night with a column of all profiles, if it was measured, moved by so many of its standard deviations."""
    if name not in night.figures[""]:
        return night

    def move(figures: Mapping[str, Figure]) -> dict[str, Figure]:
        spread = night.figures[""][name].spread
        return {each: replace(f, value=f.value + shift * spread) if each == name else f for each, f in figures.items()}

    return replace(night, figures={school: move(figures) for school, figures in night.figures.items()})


def turn_answers(answers: Answers, points: float, random: np.random.Generator) -> Answers:
    """Turns so large a share of all answers right, or wrong where it is below zero; which ones is drawn."""
    may = np.flatnonzero(answers.correct == (0 if points > 0 else 1))
    turned = random.choice(may, size=min(len(may), round(abs(points) * len(answers.correct))), replace=False)
    correct = answers.correct.copy()
    correct[turned] = 1 if points > 0 else 0
    return replace(answers, correct=correct)


def swap_outcomes(answers: Answers, school: str) -> Answers:
    """One school's right answers are read as wrong, and the other way round."""
    mine = answers.school == school
    return replace(answers, correct=np.where(mine, 1 - answers.correct, answers.correct).astype(np.int8))


def lose_ids(answers: Answers, school: str) -> Answers:
    """One school's columns of items and skills are swapped: the champion knows neither."""
    theirs = answers.school != school
    return replace(answers, known_item=answers.known_item & theirs, known_skill=answers.known_skill & theirs)


def _measure_again(night: Replayed, answers: Answers) -> Measures:
    return replace(night.measures, figures=join_figures(night.measures.figures, measure_answers(answers)))
