"""Whether a challenger becomes champion, and why: each limit has one function, and each figure that counts a sentence.

A challenger above a limit never becomes champion. Of those within all limits, one becomes champion that is better than
the champion on the same later holdout in either forecast, by a margin and with the whole interval over resampled
students, and worse in neither: a plan reads both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import norm

from training.config import Gate
from training.evaluation.agreement import Z99, Cell
from training.evaluation.behavior import Behavior
from training.evaluation.comparison import Slice
from training.evaluation.fairness import GroupFigures
from training.evaluation.metrics import Interval, Metrics

LEVEL = 0.05
"""At most this share of challengers that are as good as the champion is promoted, and at most this share of those that
serve every group as well as it does is refused for one of them."""

Check = tuple[bool, str]
"""Whether a limit is kept, and a sentence that says so with the figure and the limit."""


@dataclass(frozen=True)
class Decision:
    """What the gate decided.

    Attributes:
        promoted: Whether the challenger becomes champion.
        within_limits: Whether the challenger is fit to serve at all.
        reasons: One sentence per figure that counted.
    """

    promoted: bool
    within_limits: bool
    reasons: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """What was decided, in a sentence."""
        if self.promoted:
            return "The challenger is the new champion."
        return "The champion stays." if self.within_limits else "The challenger is above a limit and was not promoted."


@dataclass(frozen=True)
class Figures:
    """What is known of a challenger; what is empty or null is not judged.

    Attributes:
        metrics: Metrics on the holdout by forecast.
        against: Challenger minus champion in log-loss, by forecast; null without a champion that can be compared.
        groups: Figures of audit groups by forecast; those with enough rows have a limit of their own.
        slices: The same groups beside the champion, by forecast.
        columns: Audit columns that the roster has.
        cells: The struggle forecast beside the facts that people see.
        behavior: What came of changed histories.
    """

    metrics: Mapping[str, Metrics]
    against: Mapping[str, Interval] | None = None
    groups: Mapping[str, Sequence[GroupFigures]] | None = None
    slices: Mapping[str, Sequence[Slice]] | None = None
    columns: frozenset[str] = frozenset()
    cells: Sequence[Cell] = ()
    behavior: Behavior | None = None


def decide(figures: Figures, gate: Gate) -> Decision:
    """Holds a challenger against the limits and against the champion.

    Args:
        figures: What is known of the challenger.
        gate: The limits.

    Example:
        >>> from training.config import load_config
        >>> fine = {"struggle": {"ece": Interval(0.01, 0.0, 0.02)}, "mastery": {"ece": Interval(0.01, 0.0, 0.02)}}
        >>> decide(Figures(fine), load_config().gate).promoted
        True
    """
    limits = [
        *_check_calibration(figures.metrics, gate),
        *_check_groups(figures.groups or {}, gate),
        *_check_slices(figures.slices or {}, figures.columns, gate),
        *_check_facts(figures.cells, gate),
        *(check_behavior(figures.behavior, gate) if figures.behavior else ()),
    ]
    within_limits = all(kept for kept, _ in limits)
    better = list(_check_champion(figures.against, gate))
    promoted = within_limits and all(kept for kept, _ in better)
    return Decision(promoted, within_limits, tuple(sentence for _, sentence in [*limits, *better]))


def _check_calibration(metrics: Mapping[str, Metrics], gate: Gate) -> Iterator[Check]:
    for name, by_name in metrics.items():
        ece = by_name["ece"]
        within = ece.low <= gate.max_ece  # with few rows it is high by chance alone, so the interval decides
        yield (
            within,
            (
                f"{name}: calibration error {ece.value:.4f} (95 % interval {ece.low:.4f} to {ece.high:.4f}) "
                f"is {'within' if within else 'above'} the limit of {gate.max_ece:.4f}"
            ),
        )


def _check_groups(groups: Mapping[str, Sequence[GroupFigures]], gate: Gate) -> Iterator[Check]:
    for name, figures in groups.items():
        for group in figures:
            if group.rows >= gate.min_subgroup_rows and group.ece > gate.max_subgroup_ece:
                yield (
                    False,
                    (
                        f"{name}: calibration error {group.ece:.4f} of {group.column} {group.group} "
                        f"is above the limit of {gate.max_subgroup_ece:.4f} for audit groups"
                    ),
                )


def _check_slices(slices: Mapping[str, Sequence[Slice]], columns: frozenset[str], gate: Gate) -> Iterator[Check]:
    for column in gate.audit_columns:
        if column not in columns:
            yield False, f"the roster has no audit column {column}, so that nobody can say how its groups are served"
    compared = sum(group.worse is not None and not group.missing for figures in slices.values() for group in figures)
    widest = norm.ppf(1 - LEVEL / max(1, compared))  # one of many groups is worse by chance
    for name, figures in slices.items():
        for group in figures:
            if group.missing:
                yield (
                    False,
                    (
                        f"{name}: nobody can say how {group.column} {group.group} is served: it was learned from, and "
                        "next to none of its students are on the holdout"
                    ),
                )
            elif group.worse is not None and group.worse - widest * group.error > gate.max_subgroup_loss:
                yield (
                    False,
                    (
                        f"{name}: log-loss {group.worse:+.4f} against the champion's for {group.column} {group.group} "
                        f"is above the limit of {gate.max_subgroup_loss:+.4f}, beyond what chance makes of {compared}"
                    ),
                )


def _check_facts(cells: Sequence[Cell], gate: Gate) -> Iterator[Check]:
    against = [cell for cell in cells if abs(cell.gap) - Z99 * cell.gap_error > gate.max_cell_gap]
    for cell in against:
        yield (
            False,
            (
                f"struggle: {cell.forecast:.2f} is forecast where {cell.observed:.2f} struggle, of {cell.rows} rows "
                f"with {cell.words}; the limit is {gate.max_cell_gap:.2f} apart"
            ),
        )
    if cells and not against:
        widest = max(cells, key=lambda cell: abs(cell.gap))
        yield (
            True,
            (
                f"struggle: forecasts agree with the facts in {len(cells)} cells, to {gate.max_cell_gap:.2f} and what "
                f"chance makes of their rows; widest {widest.gap:+.3f} of {widest.rows} rows with {widest.words}"
            ),
        )


def check_behavior(behavior: Behavior, gate: Gate) -> list[Check]:
    """Holds what came of changed histories, time and size against their limits; of broken ones, each is told."""
    checks = [
        (
            behavior.leaks == 0,
            f"in {behavior.leaks} of {behavior.histories} changed histories a row knows what came after it",
        ),
        (
            behavior.falls == 0,
            (
                f"in {behavior.falls} of {behavior.histories} changed histories a wrong answer in place of a right one "
                "lowers the struggle risk"
            ),
        ),
        (behavior.moved == 0, f"{behavior.moved} forecasts change with the rows beside them"),
        (
            behavior.milliseconds <= gate.max_milliseconds,
            f"a forecast of 1000 rows takes {behavior.milliseconds:.0f} ms; the limit is {gate.max_milliseconds:.0f}",
        ),
        (
            behavior.megabytes <= gate.max_megabytes,
            f"the models take {behavior.megabytes:.1f} MB; the limit is {gate.max_megabytes:.0f}",
        ),
    ]
    broken = [check for check in checks if not check[0]]
    fine = (
        f"no forecast knows what came after it or falls with a wrong answer, in {behavior.histories} changed histories"
    )
    return broken or [(True, fine)]


def _check_champion(against: Mapping[str, Interval] | None, gate: Gate) -> Iterator[Check]:
    if against is None:
        yield True, "there is no champion that can be compared"
        return
    for name, difference in against.items():
        yield (
            True,
            (
                f"{name}: log-loss {difference.value:+.5f} against the champion's "
                f"(95 % interval {difference.low:+.5f} to {difference.high:+.5f}; below zero is better)"
            ),
        )
    for name, difference in against.items():
        if difference.low > 0:
            yield False, f"the {name} forecast is worse with the whole interval"
        elif difference.value > gate.max_loss:
            yield False, f"the {name} forecast is worse by more than the {gate.max_loss:g} that is allowed"
    clear = [name for name, difference in against.items() if difference.high < 0]
    better = [name for name in clear if -against[name].value >= gate.min_gain]
    if better:
        names = f"{' and '.join(better)} {'forecast is' if len(better) == 1 else 'forecasts are'}"
        yield True, f"the {names} better with the whole interval"
    elif clear:
        yield False, f"the {clear[0]} forecast is better, but by less than the {gate.min_gain:g} that is worth a change"
    else:
        yield False, "neither forecast is clearly better"
