"""Made-up days of any kind and size, from days without anybody to teams, so that no corner of the rules is left out."""

import random
from dataclasses import fields, replace

from experiments.benchmarks.planner.days import Size, draw_day
from experiments.benchmarks.planner.odd_days import draw_odd_day
from serving.grouping.problem.policy import LED, SizeBound, Weights
from serving.grouping.problem.problem import Problem

SMALL = (SizeBound(LED[0], 2, 3), SizeBound(LED[1], 1, 1))
"""Sizes at which a handful of students makes several groups."""


def draw_any_day(seed: int) -> Problem:
    """Draws a day: of four, three at the edges of the rules (`odd_days.py`) and one as a team has it (`days.py`).

    Both get prices between nothing and ten times the usual, rooms that are free in some blocks only, and coaches.

    Example:
        >>> draw_any_day(3) == draw_any_day(3)
        True
    """
    draw = random.Random(f"any-{seed}")
    return _vary(_draw_team(seed, draw) if seed % 4 == 0 else _draw_odd(seed, draw), draw)


def _draw_odd(seed: int, draw: random.Random) -> Problem:
    return draw_odd_day(
        seed,
        students=draw.choice([0, 1, 3, 5, 8, 12, 14, 20, 30]),
        adults=draw.randint(0, 6),
        blocks=draw.randint(0, 4),
        skills=draw.randint(0, 5),
        rooms=draw.random() < 0.6,
        pins=draw.choice([0, 0, 0, 1, 2, 3]),
        ratio=draw.choice([1, 4, 8, 15, 30]),
        sizes=draw.choice([None, None, SMALL]),
        more=draw.random() < 0.5,
    )


def _draw_team(seed: int, draw: random.Random) -> Problem:
    return draw_day(Size(draw.randint(6, 40), draw.randint(2, 5), draw.randint(1, 4), draw.randint(3, 12)), seed)


def _vary(problem: Problem, draw: random.Random) -> Problem:
    """The same day with what neither family draws."""
    usual = Weights()
    prices = {
        field.name: getattr(usual, field.name) * draw.choice([0.0, 1.0, 1.0, 1.0, 10.0]) for field in fields(Weights)
    }
    days = [block.id for block in problem.blocks]
    rooms = problem.rooms and tuple(
        replace(room, blocks=frozenset(day for day in days if draw.random() < 0.7)) if draw.random() < 0.2 else room
        for room in problem.rooms
    )
    names = [adult.id for adult in problem.adults]
    adults = tuple(
        replace(adult, coach=draw.choice([name for name in names if name != adult.id] or [None]))
        if draw.random() < 0.2
        else adult
        for adult in problem.adults
    )
    return replace(problem, weights=Weights(**prices), rooms=rooms, adults=adults)
