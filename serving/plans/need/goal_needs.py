"""Which needs are a student's own goal: of two that are nearly equal, it comes first."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from features.events.evidence import Of
from serving.grouping import Need


def favor_goals(needs: Iterable[Need], goals: Collection[Of], more: float) -> Iterator[Need]:
    """Yields the needs; one on a goal, or on a prerequisite that comes before it, counts a little more.

    So a goal decides between needs that differ by less than that, and never against a larger one.

    Args:
        needs: Needs of students.
        goals: Students with the skills that are their goals.
        more: Share by which such a need counts more, such as .05.

    Example:
        >>> from serving.grouping import Need
        >>> needs = [Need("a", "x", 0.4), Need("a", "y", 0.4)]
        >>> [round(need.need, 2) for need in favor_goals(needs, {("a", "y")}, 0.05)]
        [0.4, 0.42]
    """
    for need in needs:
        if (need.student, need.skill) in goals or (need.student, need.because_of) in goals:
            yield replace(need, need=min(1.0, need.need * (1 + more)), urgent=need.urgent * (1 + more))
        else:
            yield need
