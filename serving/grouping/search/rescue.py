"""Makes a day stand with exact programs where the greedy search cannot, or says which rules leave none."""

from serving.grouping.errors import Conflict, InfeasibleError
from serving.grouping.exact.feasible_sessions import find_sessions, hold_sessions
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.grounds import find_grounds
from serving.grouping.state.arrays import Index
from serving.grouping.state.draft import Draft


def rescue_block(draft: Draft, block: int) -> Draft | None:
    """Returns the plan with one block built anew, exactly, beside the others as they are; None where none was found."""
    others = draft.without(block)
    return hold_sessions(others, find_sessions(others, [block], aim=True)[0], [block])


def rescue_day(index: Index, obstacle: str) -> Draft:
    """Returns a plan in which every block stands, with all blocks built at once, and then each for what it is worth.

    Args:
        index: the problem.
        obstacle: the rule on which the greedy search failed.

    Raises:
        InfeasibleError: there is none, with the rules that leave none; or none was found within the limits.
    """
    blocks = list(range(len(index.problem.blocks)))
    groups, proven = find_sessions(Draft(index), blocks)
    draft = hold_sessions(Draft(index), groups, blocks)
    if draft is None:
        raise InfeasibleError(find_grounds(index, obstacle) if proven and groups is None else (_unproven(obstacle),))
    best = score_plan(index.problem, draft.finish()).total
    for block in blocks:
        anew = rescue_block(draft, block)
        total = -float("inf") if anew is None else score_plan(index.problem, anew.finish()).total
        if anew is not None and total > best:
            draft, best = anew, total
    return draft


def _unproven(obstacle: str) -> Conflict:
    sentence = "No sessions were found with which every block has enough monitors, teachers and rooms; some may exist."
    return Conflict((obstacle,), sentence, proven=False)
