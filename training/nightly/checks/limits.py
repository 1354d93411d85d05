"""Whether a figure of tonight is beyond what its own history lets expect.

A figure is compared with the mean of earlier comparable nights; the difference is its *effect*. The limit comes from
the effects of those nights themselves: how far they lay from their middle says how far tonight's may lie. A figure is
beyond it where its chance is below the false-discovery rate over a school's columns, or for another figure over the
schools, and the effect counts at all. Beyond on two nights in a row, in the same direction, it is an alarm; each night
is measured by itself, so that one odd night is not seen on two. The base rate of all schools, which moves by a few
points only where much is wrong, is the mean of three nights instead, and an alarm the first time that it is beyond
where each of the last two nights lies on that side.

Nights compare where the school had enough students, and since the last break. The first nights after a vacation, to
which few compare, are held against those before it, but say nothing of how far other nights lie apart: work moves more
over two weeks than over two days. Those of another champion are moved by
what the figures moved with it alone (`bridge`); columns of profiles, which hold the champion's statistics, do not
compare where that is not known. The night before is left out of the mean, so that a change shows on its second night
as on its first. The volume compares with the same weekday of the weeks before.

A difference of means is in standard deviations of the nights before, pooled with tonight's where that is wider: a mean
of values with a long tail moves by a few of them. How far past figures of answers lay apart is taken by the square root
of how many answers there were, then and tonight. A forecast that moved while as many answers were right as it said is
no alarm: the work has become easier or harder, and the champion knew.

Source: Benjamini and Hochberg (1995), "Controlling the false discovery rate"; limits from a statistic's own history as
in NannyML's `StandardDeviationThreshold`, here by quantiles, which a few odd nights do not move.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.config import Checks
from training.nightly.checks.bridge import find_steps
from training.nightly.checks.measures import ALL, COLUMN, Figure, Measures

REFERENCE, REFERENCE_OF_COLUMNS, SKIPPED, LEAST = 10, 5, 1, 3
"""Nights that a figure is compared with, fewer for columns, which grow over a term; nights before tonight that are not
among them; and the fewest that do."""

BASE_RATE, FORECAST, VOLUME = "base_rate", "forecast", "volume"

SUSTAINED, SUSTAINED_NIGHTS = (ALL, BASE_RATE), 3
"""The school and name of the figure that is the mean of so many nights, tonight's the last of them."""

SAME_WEEKDAYS = 6
"""Weeks that the volume is compared with."""

BREAK, VACATION = timedelta(days=7), timedelta(days=21)
"""Without a comparable night for so long, what came before does not compare; after a vacation, which may last longer,
it does until enough nights came since, so that a change on the last days before is found on the first ones after."""

FREEDOM = 10
"""Degrees of freedom of the t distribution, whose tails are as heavy as those of school days."""

CENTRAL = 0.90
"""Share of past effects, from the middle, that says how wide they lie."""

OF_ONE_SCHOOL = 2.0
"""How many times as far a figure of one school must move to count at all: it rests on fewer students."""

NARROWEST = 0.1
"""Past effects never count as narrower than this share of the effect that counts at all."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """A figure of tonight beside its history.

    Attributes:
        school: Whose it is.
        name: Of the figure.
        figure: Tonight's.
        effect: Tonight's minus the usual one, in the figure's unit; null where there are not enough comparable nights.
        limit: Beyond which the effect is too far from its usual place; null likewise.
        beyond: 1 if too high, -1 if too low, else 0.
        again: Whether it was so on the comparable night before; of `SUSTAINED`, whether tonight and that one lie on
            that side, each by itself.
        borne_out: Of forecasts, whether as many answers were right as was forecast: the work is other, the data is not.
    """

    school: str
    name: str
    figure: Figure
    effect: float | None
    limit: float | None
    beyond: int
    again: bool
    borne_out: bool = False


def judge_figures(history: Sequence[Measures], tonight: Measures, checks: Checks) -> list[Judged]:
    """Judges every figure of every school.

    False discoveries are counted over the columns of each school, and over the schools for each other figure; what is
    said of all schools together stands for itself.

    Args:
        history: Earlier nights, the oldest first.
        tonight: The night to be judged.
        checks: The limits.
    """
    compared = [
        each
        for school, figures in tonight.figures.items()
        for columns in (True, False)
        if (names := [name for name in figures if name.startswith(COLUMN) == columns])
        for each in _compare(history, tonight, school, names, checks)
    ]
    families: dict[tuple[str, str], list[_Compared]] = {}
    for each in compared:
        of_columns = each.name.startswith(COLUMN)
        family = (each.school, COLUMN) if of_columns else ("" if each.school == ALL else "schools", each.name)
        families.setdefault(family, []).append(each)
    before: dict[tuple[str, str], int] = {}
    for school in tonight.figures:
        last = next((night for night in reversed(history) if school in night.figures), None)
        before |= {key: sign for key, sign in (last.beyond if last else {}).items() if key[0] == school}
    judged = [each for family in families.values() for each in _decide(family, tonight, before, checks)]
    kept = {each.school for each in judged if each.name == BASE_RATE and each.limit is not None and not each.beyond}
    return [replace(each, borne_out=each.name == FORECAST and each.school in kept) for each in judged]


def least_effect(school: str, name: str, checks: Checks) -> tuple[float, int]:
    """The effect of a school's figure that counts at all, and its direction: 1, -1, or 0 for both."""
    least, direction = _least_effect(name, checks)
    return least * (1 if school == ALL else OF_ONE_SCHOOL), direction


def _least_effect(name: str, checks: Checks) -> tuple[float, int]:
    if name.startswith(COLUMN):
        return checks.max_drift, 0
    if name.startswith("filled "):
        return checks.max_unfilled, 0
    return {
        "volume": (checks.max_volume, 0),
        "clock": (checks.max_clock_hours, 0),
        "duplicates": (checks.max_duplicates, 1),
        "unknown_items": (checks.max_unknown, 1),
        "unknown_skills": (checks.max_unknown, 1),
        "base_rate": (checks.max_base_rate, 0),
        "forecast": (checks.max_forecast, 0),
        "champion_loss": (checks.max_champion_loss, 1),
        "champion_ranking": (checks.max_champion_auc, -1),
    }[name]


@dataclass(frozen=True)
class _Compared:
    """A figure of tonight and the chance of so large an effect; null where there are not enough comparable nights."""

    school: str
    name: str
    effect: float
    limit: float
    chance: float | None
    side: int
    """1 or -1 where tonight and the night before, each by itself, lie on that side of the usual figure, else 0."""


def _compare(
    history: Sequence[Measures], tonight: Measures, school: str, names: Sequence[str], checks: Checks
) -> list[_Compared]:
    """Compares figures of a school, all of profiles or none of them, with those of earlier nights."""
    nights = [*history, tonight]
    moved, champion = find_steps(nights, school, names)
    there = [at for at, night in enumerate(nights) if school in night.figures]
    there = there[-(checks.nights + 2 * REFERENCE + 5 * SAME_WEEKDAYS + 1) :]
    compared = [nights[at] for at in there]
    (effects, alone), (over_vacation, alone_then) = (
        _find_effects(compared, school, names, moved[there], champion[there], pause) for pause in (BREAK, VACATION)
    )
    alone = np.where(np.isnan(alone), alone_then, alone)
    sides = np.sign(np.nan_to_num(alone[-2:])).astype(int)
    side = np.where(sides[0] == sides[-1], sides[-1], 0)
    now, past = np.where(np.isnan(effects[-1]), over_vacation[-1], effects[-1]), effects[:-1]
    limits = [least_effect(school, name, checks) for name in names]
    least, direction = (np.array(pair) for pair in zip(*limits, strict=True))
    center, width, enough = _summarize(past, _scale(compared, school, names), checks, least)
    distance = np.where(direction == 0, np.abs(now - center), (now - center) * direction) / width
    chance = stats.t.sf(distance, FREEDOM) * np.where(direction == 0, 2, 1)
    limit = np.maximum(least, np.abs(center) + width * stats.t.isf(checks.false_alarms / 2, FREEDOM))
    tested = enough & ~np.isnan(now)
    return [
        _Compared(
            school, name, float(now[at]), float(limit[at]), float(chance[at]) if tested[at] else None, int(side[at])
        )
        for at, name in enumerate(names)
    ]


def _decide(
    family: Sequence[_Compared], tonight: Measures, before: Mapping[tuple[str, str], int], checks: Checks
) -> Iterator[Judged]:
    """Judges the figures among which false discoveries are counted."""
    chances = [each.chance for each in family if each.chance is not None]
    adjusted = iter(stats.false_discovery_control(chances) if chances else ())
    for each in family:
        figure = tonight.figures[each.school][each.name]
        if each.chance is None:
            yield Judged(each.school, each.name, figure, None, None, 0, again=False)
            continue
        key = (each.school, each.name)
        least, direction = least_effect(each.school, each.name, checks)
        sign = direction or int(np.sign(each.effect))
        is_beyond = next(adjusted) <= checks.false_alarms and each.effect * sign >= least
        again = is_beyond and (each.side if key == SUSTAINED else before.get(key)) == sign
        yield Judged(each.school, each.name, figure, each.effect, each.limit, sign if is_beyond else 0, again=again)


def _summarize(
    past: Floats, scale: Floats, checks: Checks, least: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """The middle and width of the last past effects of each figure, and whether there are enough of them.

    Distances from the middle are taken times `scale`, one for each effect.
    """
    used = np.flatnonzero(~np.isnan(past).all(axis=1))[-checks.nights :]
    past, scale = past[used], scale[used]
    there = ~np.isnan(past)
    enough = there.sum(axis=0) >= checks.min_nights
    center, width = np.zeros(past.shape[1]), np.ones(past.shape[1])
    whole = enough & there.all(axis=0)
    # most figures have no gap, and a quantile of many columns at once takes a hundredth of the time
    for columns in ([whole] if whole.any() else []) + [[at] for at in np.flatnonzero(enough & ~whole)]:
        rows = ~np.isnan(past[:, columns]).any(axis=1)
        known = past[np.ix_(rows, columns)]
        center[columns] = np.median(known, axis=0)
        distances = np.abs(known - center[columns]) * scale[np.ix_(rows, columns)]
        width[columns] = np.quantile(distances, CENTRAL, axis=0)
    return center, np.maximum(width / stats.norm.isf((1 - CENTRAL) / 2), NARROWEST * least), enough


def _scale(nights: Sequence[Measures], school: str, names: Sequence[str]) -> Floats:
    """By how much figures of each night's answers would lie further apart, were these as few or many as tonight's.

    The standard error of a mean falls with the root of how many answers there are; columns of profiles are of more than
    the night's.
    """
    volumes = [night.figures[school].get(VOLUME) for night in nights]
    volume = np.array([np.nan if each is None else each.value for each in volumes])  # a logarithm
    of_answers = np.array([not name.startswith(COLUMN) and name != VOLUME for name in names])
    return np.where(of_answers, np.exp((volume[:-1] - volume[-1]) / 2)[:, None], 1.0)


def _find_effects(
    nights: Sequence[Measures],
    school: str,
    names: Sequence[str],
    moved: Floats,
    champion: npt.NDArray[np.int64],
    pause: timedelta,
) -> tuple[Floats, Floats]:
    """The effect of each figure on each night, null where too few nights compare, and that of each night by itself.

    Nights do not compare over a longer pause.
    """
    found = [[night.figures[school].get(name) for name in names] for night in nights]
    value = np.array([[np.nan if each is None else each.value for each in row] for row in found], np.float64) - moved
    spread = np.array([[np.nan if each is None else each.spread for each in row] for row in found], np.float64)
    gaps = [after.moment - night.moment > pause for night, after in pairwise(nights)]
    term = np.cumsum([0, *gaps])
    weekday = np.array([night.moment.weekday() for night in nights])
    of_profiles = names[0].startswith(COLUMN)
    volume, clock = (names.index(name) if name in names else None for name in (VOLUME, "clock"))
    of_each_night = value.copy()
    sustained = names.index(SUSTAINED[1]) if school == SUSTAINED[0] and SUSTAINED[1] in names else None
    if sustained is not None:
        value[:, sustained] = _average_lately(value[:, sustained], term)
    same_term = term[:, None] == term
    if of_profiles:
        close = _last(same_term & (champion[:, None] == champion), REFERENCE_OF_COLUMNS, SKIPPED)
    else:
        close = _last(same_term, REFERENCE, SKIPPED)
    usual, unit = _average(close, value), _average(close, spread)
    unit = np.maximum(unit, np.sqrt((unit**2 + spread**2) / 2))  # pooled, as in Cohen's d, where tonight's is wider
    if sustained is not None:
        before = _last(same_term, REFERENCE, SUSTAINED_NIGHTS - 1)
        usual[:, sustained] = _average(before, value[:, [sustained]])[:, 0]
    effects, alone = (value - usual) / unit, (of_each_night - usual) / unit
    if clock is not None:
        turned = (value[:, None, clock] - value[None, :, clock] + 12) % 24 - 12
        few = np.isnan(effects[:, clock])
        effects[:, clock] = np.where(few, np.nan, (close * turned).sum(1) / np.maximum(close.sum(1), 1))
    if volume is not None:
        weeks = _last(weekday[:, None] == weekday, SAME_WEEKDAYS, 0)
        effects[:, volume] = value[:, volume] - _average(weeks, value[:, [volume]])[:, 0]
    return effects, alone


def _average_lately(value: Floats, term: npt.NDArray[np.int64]) -> Floats:
    """The mean of each night and those before it; for one before the term began, the night itself counts once more."""
    total = value.copy()
    for back in range(1, SUSTAINED_NIGHTS):
        same = np.zeros(len(value), bool)
        same[back:] = term[back:] == term[:-back]
        total += np.where(same, np.roll(value, back), value)
    return total / SUSTAINED_NIGHTS


def _last(compares: npt.NDArray[np.bool_], most: int, skipped: int) -> npt.NDArray[np.bool_]:
    """Marks in each night's row the last earlier nights that compare with it, without the very last ones before it."""
    earlier: npt.NDArray[np.bool_] = compares & np.tri(len(compares), k=-1 - skipped, dtype=bool)
    from_the_right = np.cumsum(earlier[:, ::-1], axis=1)[:, ::-1]
    return earlier & (from_the_right <= most)


def _average(chosen: npt.NDArray[np.bool_], values: Floats) -> Floats:
    """The mean of the chosen nights' values for each night and figure; null where fewer than `LEAST` have one."""
    there = chosen.astype(np.float64) @ (~np.isnan(values)).astype(np.float64)
    total = chosen.astype(np.float64) @ np.nan_to_num(values)
    return np.where(there >= LEAST, total / np.maximum(there, 1), np.nan)
