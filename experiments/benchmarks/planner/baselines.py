"""Baseline policies of a school without a planner: random groups, bands of need, and clusters of like needs.

Groups of up to eight are fixed for the day. In each block the adults who are not needed to supervise the others take
the next groups in turn, each on the skill that its members need most together; members who do not need it stay
online. All hard rules are kept, and plans are scored by the same functions as ours.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from serving.grouping import Conflict, InfeasibleError
from serving.grouping.problem.plan import Session
from serving.grouping.problem.problem import Problem
from serving.grouping.state.arrays import Ints, ProblemData, Slot, build_data
from serving.grouping.state.draft import Draft

LARGEST = 8
"""Students of a group."""

ROUNDS = 20
"""Iterations of k-means, after which so few students have always settled."""

Groups = list[Ints]


def group_at_random(data: ProblemData, rng: np.random.Generator) -> Groups:
    """Returns students in any order, eight by eight."""
    return _deal(rng.permutation(len(data.arrays.present)))


def group_in_bands(data: ProblemData, rng: np.random.Generator) -> Groups:  # noqa: ARG001 - one form for all
    """Returns students by their mean need, eight by eight."""
    mean = np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in data.arrays.need])
    return _deal(np.argsort(-mean, kind="stable"))


def group_by_clusters(data: ProblemData, rng: np.random.Generator) -> Groups:
    """K-means over needs with at most eight students to a cluster (Bradley, Bennett and Demiriz 2000)."""
    need = np.nan_to_num(data.arrays.need)
    clusters = -(-len(need) // LARGEST)
    centers = need[rng.choice(len(need), clusters, replace=False)]
    for _ in range(ROUNDS):
        distance = ((need[:, None] - centers[None]) ** 2).sum(axis=2)
        _, place = linear_sum_assignment(np.repeat(distance, LARGEST, axis=1))
        cluster = place // LARGEST
        centers = np.array(
            [need[cluster == at].mean(axis=0) if (cluster == at).any() else center for at, center in enumerate(centers)]
        )
    return [np.flatnonzero(cluster == at) for at in range(clusters) if (cluster == at).any()]


BASELINES: dict[str, Callable[[ProblemData, np.random.Generator], Groups]] = {
    "random": group_at_random,
    "bands": group_in_bands,
    "clusters": group_by_clusters,
}


def plan_baseline(problem: Problem, name: str, seed: int) -> tuple[Session, ...]:
    """Plans a day by one of the `BASELINES`.

    Args:
        problem: The day.
        name: Name of the policy.
        seed: Random seed.

    Raises:
        InfeasibleError: The students cannot be supervised.
    """
    data = build_data(problem)
    arrays, groups = data.arrays, BASELINES[name](data, np.random.default_rng(seed))
    best = np.argsort(-np.nan_to_num(arrays.effect[:, 0, 0]), kind="stable")
    supervisors_last = best[np.argsort(arrays.may_monitor[best], kind="stable")]
    draft, turn = Draft(data), 0
    for block in range(len(problem.blocks)):
        draft, after = _teach_block(draft, block, best, groups, turn)
        if draft.violated_rule(block) is not None:  # those who led are needed for the others
            draft, after = _teach_block(draft.without([block]), block, supervisors_last, groups, turn)
        if draft.violated_rule(block) is not None:
            raise InfeasibleError((Conflict(("monitors",), "a block has too few adults to supervise", proven=False),))
        turn = after
    return draft.finish()


def _teach_block(draft: Draft, block: int, adults: Ints, groups: Groups, turn: int) -> tuple[Draft, int]:
    """Lets adults teach the next groups in their order; returns the draft and whose turn is next."""
    begun = turn
    for adult in adults.tolist():
        if draft.data.arrays.adult_in[adult, block] and turn - begun < len(groups):
            turn += _teach(draft, block, adult, groups[turn % len(groups)])
    return draft, turn


def _teach(draft: Draft, block: int, adult: int, group: Ints) -> bool:
    """Holds the group's most needed skill with an adult where the rules allow it; whether it was."""
    data = draft.data
    best: tuple[float, Slot, tuple[int, ...]] | None = None
    for skill in np.flatnonzero(data.arrays.qualified[adult] > 0).tolist():
        slot = Slot(block, adult, 0, skill)
        students = [at for at in data.candidates(slot).tolist() if at in group and draft.may_join(slot, at)]
        apart: list[int] = []
        for student in sorted(students, key=lambda at: -data.arrays.need[at, skill]):
            if not np.isneginf(data.arrays.between[student, apart]).any():
                apart.append(student)
        sizes = [size for size in data.sizes[adult][0] if size <= len(apart)]
        if sizes:
            chosen = tuple(apart[: sizes[-1]])
            need = float(data.arrays.need[list(chosen), skill].sum())
            if best is None or need > best[0]:
                best = need, slot, chosen
    if best is None:
        return False
    stood = draft.violated_rule(block) is None
    if stood and draft.violated_rule(block, (best[1], len(best[2]))) is not None:
        return False
    draft.open(best[1], best[2])
    return True


def _deal(order: Ints) -> Groups:
    return [order[at : at + LARGEST] for at in range(0, len(order), LARGEST)]
