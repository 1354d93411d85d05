"""Builds feasible blocks with exact programs where the greedy construction fails."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence

from serving.grouping.errors import Conflict, InfeasibleError
from serving.grouping.exact.block_program import BlockProgram
from serving.grouping.exact.program import Program, Terms
from serving.grouping.rules.objective import score_plan
from serving.grouping.state.arrays import ProblemData, Slot
from serving.grouping.state.draft import Draft

GAP = 0.3  # the points are only near enough, and the first good sessions come soon
NODES = 1_000

Groups = dict[Slot, tuple[int, ...]]


def find_sessions(
    draft: Draft, blocks: Sequence[int], *, aim: bool = False, nodes: int = NODES
) -> tuple[Groups | None, bool]:
    """Finds the sessions of some blocks, beside those of others that a draft holds.

    Args:
        draft: the plan so far, without sessions in these blocks.
        blocks: positions.
        aim: whether to look for sessions of high score, which takes far longer than to find any.
        nodes: parts of the search after which it ends without an answer.

    Returns:
        Students by session, None where none were found; and whether the search is complete, so that there are none.
    """
    program = Program()
    models = add_blocks(draft, blocks, program)
    if not aim:
        program.points = [0.0] * len(program.points)
    values, proven = program.solve(gap=GAP, nodes=nodes)
    if values is None:
        return None, proven
    groups: Groups = {}
    for model in models:
        groups |= _read(model, values.tolist())
    return groups, proven


def add_blocks(
    draft: Draft, blocks: Sequence[int], program: Program, named: Collection[int] = ()
) -> list[BlockProgram]:
    """Adds some blocks to a program, and that a student meets a skill once a day; `named` as in `BlockProgram`."""
    models = [BlockProgram(draft, block, program, named) for block in blocks]
    meetings: dict[tuple[int, int], Terms] = defaultdict(list)
    for model in models:
        for (student, skill), column in model.seats.items():
            meetings[student, skill].append((column, 1.0))
        for (student, _, skill), column in model.places.items():
            meetings[student, skill].append((column, 1.0))
    for terms in meetings.values():
        if len(terms) > 1:
            program.bound(terms, 0.0, 1.0)
    return models


def open_sessions(draft: Draft, groups: Groups | None, blocks: Sequence[int]) -> Draft | None:
    """Opens sessions in a plan; None without any, or where rounding has made a block infeasible after all."""
    if groups is None:
        return None
    for slot, students in groups.items():
        draft.open(slot, students)
    for block in blocks:
        _add_teacher(draft, block)
    return draft if all(draft.violated_rule(block) is None for block in blocks) else None


def _read(model: BlockProgram, values: list[int]) -> Groups:
    """Returns the seats of a block: students who need a skill most go where it is taught best."""
    groups: dict[Slot, list[int]] = {}
    for (adult, kind), offers in model.kinds.items():
        if any(values[offer.column] for offer in offers):
            skill = next(skill for (lead, skill), column in model.leads.items() if lead == adult and values[column])
            groups[Slot(model.block, adult, kind, skill)] = []
    slots = {slot.adult: slot for slot in groups}
    for (student, adult, _), column in model.places.items():
        if values[column]:
            groups[slots[adult]].append(student)
    waiting: dict[int, list[int]] = defaultdict(list)
    for (student, skill), column in model.seats.items():
        if values[column]:
            waiting[skill].append(student)
    data = model.data
    for skill, students in waiting.items():
        students.sort(key=data.arrays.need[:, skill].__getitem__, reverse=True)
    for slot in sorted(groups, key=lambda slot: (-data.arrays.effect[slot.adult, slot.session_type, 0], slot)):
        load = model.loads.get((slot.adult, slot.session_type, slot.skill))
        count = 0 if load is None else values[load]
        groups[slot] += waiting[slot.skill][:count]
        del waiting[slot.skill][:count]
    return {slot: tuple(sorted(students)) for slot, students in groups.items()}


def _add_teacher(draft: Draft, block: int) -> None:
    """Adds a supervising adult as co-teacher, where only that lets a trainee of the block have a session."""
    arrays = draft.data.arrays
    for one, other, _ in arrays.coaching.tolist():
        for adult, lead in ((one, other), (other, one)):
            free = arrays.adult_in[adult, block] and not draft.on_duty(block)[adult]
            could = free and arrays.teacher[adult] and draft.leads[lead, block]
            if could and draft.violated_rule(block) == "supervision":
                draft.add_co_teacher(block, adult, lead)
                if draft.violated_rule(block) is not None:
                    draft.add_co_teacher(block, adult, -1)


def solve_block(draft: Draft, block: int) -> Draft | None:
    """Returns the plan with one block built again, exactly, beside the others as they are; None where none is found."""
    others = draft.without([block])
    return open_sessions(others, find_sessions(others, [block], aim=True)[0], [block])


def solve_day(data: ProblemData, violated_rule: str) -> Draft:
    """Returns a plan of feasible blocks: all built at once, then each again for its score.

    Raises:
        InfeasibleError: there is none, or none was found within the limits; it names the rule that the greedy
            construction violated.
    """
    blocks = list(range(len(data.problem.blocks)))
    groups, proven = find_sessions(Draft(data), blocks)
    draft = open_sessions(Draft(data), groups, blocks)
    if draft is None:
        proven = proven and groups is None
        sentence = "No sessions were found with which every block has enough monitors, teachers and rooms"
        sentence += ", and there are none." if proven else "; some may exist."
        raise InfeasibleError((Conflict((violated_rule,), sentence, proven),))
    best = score_plan(data.problem, draft.finish()).total
    for block in blocks:
        trial = solve_block(draft, block)
        total = -math.inf if trial is None else score_plan(data.problem, trial.finish()).total
        if trial is not None and total > best:
            draft, best = trial, total
    return draft
