"""A bridge between two champions: by how much figures of a night move only because another one serves.

Each is a paired difference. Columns of profiles are measured on the profiles that are published for both at the same
moment, the last one of the champion before. Forecasts are measured on the answers of the first school day of the new
one, which neither has learned from. `limits` moves the figures of earlier nights by it, so that they go on comparing.

How well the champion forecasts (`champion_loss`, `champion_ranking`) has no bridge: a new champion that does worse is
what these figures are for.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from training.nightly.checks.measures import ALL, COLUMN, Figure, Measures

OF_FORECASTS = frozenset({"base_rate", "forecast", "unknown_items", "unknown_skills"})
"""Figures of the day's answers that another champion moves."""

Bridge = dict[str, dict[str, float]]
"""What is added to figures of before, by school and name."""


def measure_bridge(before: Mapping[str, Mapping[str, Figure]], after: Mapping[str, Mapping[str, Figure]]) -> Bridge:
    """How much higher figures are that the new champion moves, of what was measured for both.

    Args:
        before: Figures of the champion before.
        after: Those of the new one, of the same answers or profiles.

    Example:
        >>> measure_bridge({"": {"forecast": Figure(0.5)}}, {"": {"forecast": Figure(0.75), "volume": Figure(7.0)}})
        {'': {'forecast': 0.25}}
    """
    return {
        school: {
            name: figures[name].value - figure.value
            for name, figure in before[school].items()
            if name in figures and (name.startswith(COLUMN) or name in OF_FORECASTS)
        }
        for school, figures in after.items()
        if school in before
    }


def keep_bridge(history: Sequence[Measures], tonight: Measures) -> Bridge:
    """What of a night's bridge counts: that of forecasts of the champion's first school night, where a school had one.

    Args:
        history: Earlier nights, the oldest first.
        tonight: The night, with the figures that are kept.
    """
    is_first = find_compared(history) not in (None, tonight.run_id)
    return {
        school: {
            name: step
            for name, step in steps.items()
            if name.startswith(COLUMN) or (is_first and {ALL, school} <= tonight.figures.keys())
        }
        for school, steps in tonight.bridge.items()
    }


def find_compared(history: Sequence[Measures]) -> str | None:
    """The run that was champion on the last school night; null without one."""
    return next((night.run_id or None for night in reversed(history) if ALL in night.figures), None)


def find_steps(
    nights: Sequence[Measures], school: str, names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """How figures have moved with the champions, and since when columns compare.

    Args:
        nights: Every night, those without school too, the oldest first.
        school: Whose figures; one that a bridge does not have moved as all of them.
        names: Of the figures.

    Returns:
        What is to be taken from each night's figures so that all compare, and a number for each night: columns of two
        nights with other numbers do not compare, since another champion served and there is no bridge.
    """
    moved = np.zeros((len(nights), len(names)))
    for row, night in zip(moved, nights, strict=True):
        if night.bridge:
            of_all, own = night.bridge.get(ALL, {}), night.bridge.get(school, {})
            row[:] = [own.get(name, of_all.get(name, 0.0)) for name in names]
    anew = [
        after.run_id != before.run_id and not any(name.startswith(COLUMN) for name in after.bridge.get(ALL, {}))
        for before, after in pairwise(nights)
    ]
    return np.cumsum(moved, axis=0), np.cumsum([0, *anew])
