"""Whether a challenger becomes champion, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.config import Gate
from training.evaluation.agreement import Z99, Cell
from training.evaluation.fairness import GroupFigures
from training.evaluation.metrics import Interval, Metrics


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


def decide(
    challenger: Mapping[str, Metrics],
    against: Mapping[str, Interval] | None,
    gate: Gate,
    groups: Mapping[str, Sequence[GroupFigures]] | None = None,
    cells: Sequence[Cell] = (),
) -> Decision:
    """Compares a challenger with the champion on the same holdout.

    A challenger is promoted when its calibration error is within the limit, that is unless the whole interval is above
    it, when it contradicts no facts, and when there is no champion, or its struggle log-loss is better with the whole
    interval and its mastery log-loss is not worse with the whole interval.

    Args:
        challenger: Metrics by forecast.
        against: Challenger minus champion in log-loss, by forecast; None without a champion that can be compared.
        gate: The limits.
        groups: Figures of audit groups, by forecast; those with enough rows have a limit of their own.
        cells: The struggle forecast beside the facts that people see.

    Example:
        >>> from training.config import load_config
        >>> fine = {"struggle": {"ece": Interval(0.01, 0.0, 0.02)}, "mastery": {"ece": Interval(0.01, 0.0, 0.02)}}
        >>> decide(fine, None, load_config().gate).promoted
        True
    """
    reasons = []
    within_limits = True
    for name, metrics in challenger.items():
        ece = metrics["ece"]
        within = ece.low <= gate.max_ece  # with few rows it is high by chance alone, so the interval decides
        within_limits &= within
        reasons.append(
            f"{name}: calibration error {ece.value:.4f} (95 % interval {ece.low:.4f} to {ece.high:.4f}) "
            f"is {'within' if within else 'above'} the limit of {gate.max_ece:.4f}"
        )
    for name, figures in (groups or {}).items():
        for group in figures:
            if group.rows >= gate.min_subgroup_rows and group.ece > gate.max_subgroup_ece:
                within_limits = False
                reasons.append(
                    f"{name}: calibration error {group.ece:.4f} of {group.column} {group.group} "
                    f"is above the limit of {gate.max_subgroup_ece:.4f} for audit groups"
                )
    against_facts = [cell for cell in cells if abs(cell.gap) - Z99 * cell.gap_error > gate.max_cell_gap]
    reasons += [
        f"struggle: {cell.forecast:.2f} is forecast where {cell.observed:.2f} struggle, of {cell.rows} rows with "
        f"{cell.words}; the limit is {gate.max_cell_gap:.2f} apart"
        for cell in against_facts
    ]
    if cells and not against_facts:
        widest = max(cells, key=lambda cell: abs(cell.gap))
        reasons.append(
            f"struggle: forecasts agree with the facts in {len(cells)} cells; widest {widest.gap:+.3f} ({widest.words})"
        )
    within_limits &= not against_facts
    if against is None:
        reasons.append("there is no champion that can be compared")
        return Decision(within_limits, within_limits, tuple(reasons))
    for name, difference in against.items():
        reasons.append(
            f"{name}: log-loss {difference.value:+.5f} against the champion's "
            f"(95 % interval {difference.low:+.5f} to {difference.high:+.5f}; below zero is better)"
        )
    better = against["struggle"].high < 0
    not_worse = against["mastery"].low <= 0
    reasons.append("the struggle forecast is better with the whole interval" if better else "not clearly better")
    if not not_worse:
        reasons.append("the mastery forecast is worse with the whole interval")
    return Decision(within_limits and better and not_worse, within_limits, tuple(reasons))
