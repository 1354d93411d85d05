"""Makes a day stand with exact programs where the greedy search cannot, or says which rules leave none."""

from serving.grouping.draft import Draft
from serving.grouping.errors import Conflict, InfeasibleError
from serving.grouping.grounds import find_grounds
from serving.grouping.index import Index
from serving.grouping.objective import score_plan
from serving.grouping.standing import Groups, find_sessions


def rescue_block(draft: Draft, block: int) -> Draft | None:
    """Returns the plan with one block built anew, exactly, beside the others as they are; None where none was found."""
    others = draft.without(block)
    return _hold(others, find_sessions(others, [block], aim=True)[0], [block])


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
    draft = _hold(Draft(index), groups, blocks)
    if draft is None:
        raise InfeasibleError(find_grounds(index, obstacle) if proven and groups is None else (_unproven(obstacle),))
    best = score_plan(index.problem, draft.finish()).total
    for block in blocks:
        anew = rescue_block(draft, block)
        total = -float("inf") if anew is None else score_plan(index.problem, anew.finish()).total
        if anew is not None and total > best:
            draft, best = anew, total
    return draft


def _hold(draft: Draft, groups: Groups | None, blocks: list[int]) -> Draft | None:
    """Opens sessions in a plan; None without any, or where rounding has let a block fall after all."""
    if groups is None:
        return None
    for slot, students in groups.items():
        draft.open(slot, students)
    for block in blocks:
        _seat_teacher(draft, block)
    return draft if all(draft.obstacle(block) is None for block in blocks) else None


def _seat_teacher(draft: Draft, block: int) -> None:
    """Sets a supervising adult beside a lead, where only that lets a trainee of the block have a session."""
    index = draft.index
    for one, other, _ in index.coaching.tolist():
        for adult, lead in ((one, other), (other, one)):
            free = index.adult_in[adult, block] and not draft.leads[adult, block] and draft.beside[adult, block] < 0
            if draft.obstacle(block) == "supervision" and index.teacher[adult] and free and draft.leads[lead, block]:
                draft.sit_beside(block, adult, lead)
                if draft.obstacle(block) is not None:
                    draft.sit_beside(block, adult, -1)


def _unproven(obstacle: str) -> Conflict:
    sentence = "No sessions were found with which every block has enough monitors, teachers and rooms; some may exist."
    return Conflict((obstacle,), sentence, proven=False)
