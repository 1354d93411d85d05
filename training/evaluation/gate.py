"""Whether a challenger becomes champion, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.config import Gate
from training.evaluation.fairness import GroupFigures
from training.evaluation.metrics import Interval, Metrics


@dataclass(frozen=True)
class Decision:
    """What the gate decided.

    Attributes:
        promoted: Whether the challenger becomes champion.
        floors_hold: Whether the challenger is fit to serve at all.
        reasons: One sentence per figure that counted.
    """

    promoted: bool
    floors_hold: bool
    reasons: tuple[str, ...]


def decide(
    challenger: Mapping[str, Metrics],
    against: Mapping[str, Interval] | None,
    gate: Gate,
    groups: Mapping[str, Sequence[GroupFigures]] | None = None,
) -> Decision:
    """Compares a challenger with the champion on the same holdout.

    A challenger is promoted when its calibration holds the floor, which it breaks only with the whole interval above
    it, and when there is no champion, or its struggle log-loss is better with the whole interval and its mastery
    log-loss is not worse with the whole interval.

    Args:
        challenger: Metrics by forecast.
        against: Challenger minus champion in log-loss, by forecast; None without a champion that can be compared.
        gate: The floors.
        groups: Figures of audit groups, by forecast; those with enough rows have a floor of their own.

    Example:
        >>> from training.config import load_config
        >>> fine = {"struggle": {"ece": Interval(0.01, 0.0, 0.02)}, "mastery": {"ece": Interval(0.01, 0.0, 0.02)}}
        >>> decide(fine, None, load_config().gate).promoted
        True
    """
    reasons = []
    floors_hold = True
    for name, metrics in challenger.items():
        ece = metrics["ece"]
        holds = ece.low <= gate.max_ece  # of few rows it is high by chance alone, so the interval decides
        floors_hold &= holds
        verdict = "holds" if holds else "breaks"
        reasons.append(
            f"{name}: calibration error {ece.value:.4f} (95 % interval {ece.low:.4f} to {ece.high:.4f}) "
            f"{verdict} the floor of {gate.max_ece:.4f}"
        )
    for name, figures in (groups or {}).items():
        judged = [each for each in figures if each.rows >= gate.min_subgroup_rows]
        for each in (each for each in judged if each.ece > gate.max_subgroup_ece):
            floors_hold = False
            reasons.append(
                f"{name}: calibration error {each.ece:.4f} of {each.column} {each.group} "
                f"is above the floor of {gate.max_subgroup_ece:.4f} for audit groups"
            )
    if against is None:
        reasons.append("there is no champion that can be compared")
        return Decision(floors_hold, floors_hold, tuple(reasons))
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
    return Decision(floors_hold and better and not_worse, floors_hold, tuple(reasons))
