"""Builds feasible blocks with exact programs where the greedy construction fails."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from serving.grouping.clock import is_over
from serving.grouping.errors import Conflict, InfeasibleError
from serving.grouping.exact.block_program import BlockProgram
from serving.grouping.exact.program import Program, Terms
from serving.grouping.state.arrays import ProblemData, Slot
from serving.grouping.state.draft import Draft

NODES = 1_000
"""Parts of the search for sessions; any will do, since they are improved afterwards."""

Groups = dict[Slot, tuple[int, ...]]


def find_sessions(
    draft: Draft, blocks: Sequence[int], *, nodes: int = NODES, until: float | None = None
) -> tuple[Groups | None, bool]:
    """Finds sessions of some blocks that keep the rules, beside those of others that a draft holds.

    Args:
        draft: the plan so far, without sessions in these blocks.
        blocks: positions.
        nodes: parts of the search after which it ends without an answer.
        until: when it ends at the latest, on the clock of `time.perf_counter`; None: without a clock.

    Returns:
        Students by session, None where none were found; and whether the search is complete, so that there are none.
    """
    program = Program()
    models = add_blocks(draft, blocks, program, until=until)
    if models is None:
        return None, False
    program.points = [0.0] * len(program.points)
    values, proven = program.solve(nodes=nodes, until=until)
    if values is None:
        return None, proven
    groups: Groups = {}
    for model in models:
        groups |= _read(model, values.tolist())
    return groups, proven


def add_blocks(
    draft: Draft, blocks: Sequence[int], program: Program, named: Collection[int] = (), until: float | None = None
) -> list[BlockProgram] | None:
    """Adds some blocks to a program, and that a student meets a skill once a day; None where the clock ends before.

    Args:
        draft: the plan so far, without sessions in these blocks.
        blocks: positions.
        program: where they are added.
        named: as in `BlockProgram`.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock.
    """
    models = []
    for block in blocks:
        if is_over(until):
            return None
        models.append(BlockProgram(draft, block, program, named))
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
    for one, other, _, observes in arrays.coaching.tolist():
        for adult, lead in ((other, one),) if observes else ((one, other), (other, one)):
            free = arrays.adult_in[adult, block] and not draft.on_duty(block)[adult]
            could = free and arrays.teacher[adult] and draft.leads[lead, block]
            if could and draft.violated_rule(block) == "supervision":
                draft.add_co_teacher(block, adult, lead)
                if draft.violated_rule(block) is not None:
                    draft.add_co_teacher(block, adult, -1)


def solve_blocks(draft: Draft, blocks: Sequence[int], until: float | None = None) -> Draft | None:
    """Returns the plan with some blocks built again, exactly, beside the others as they are; None where none is found.

    Args:
        draft: the plan so far; its sessions in these blocks are given up.
        blocks: positions.
        until: when to stop, on the clock of `time.perf_counter`; None: without a clock.
    """
    others = draft.without(blocks)
    return open_sessions(others, find_sessions(others, blocks, until=until)[0], blocks)


def solve_day(data: ProblemData, violated_rule: str, until: float | None = None) -> Draft:
    """Returns a plan of feasible blocks, all built at once.

    Raises:
        InfeasibleError: there is none, or none was found within the limits; it names the rule that the greedy
            construction violated.
    """
    blocks = list(range(len(data.problem.blocks)))
    groups, proven = find_sessions(Draft(data), blocks, until=until)
    draft = open_sessions(Draft(data), groups, blocks)
    if draft is None:
        proven = proven and groups is None
        sentence = "No sessions were found with which every block has enough monitors, teachers and rooms"
        sentence += ", and there are none." if proven else "; some may exist."
        raise InfeasibleError((Conflict((violated_rule,), sentence, proven),))
    return draft
