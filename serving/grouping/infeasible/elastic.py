"""Finds the cheapest constraints to relax so that blocks have sessions that keep every other rule, by an exact program.

An elastic program (Chinneck and Dravnieks 1991): the problem without the rules at issue, and for each of them a 0-1
column that has a penalty and without which its rows hold as before.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from serving.grouping.clock import is_over
from serving.grouping.exact.block_program import BlockProgram
from serving.grouping.exact.blocks import add_blocks
from serving.grouping.exact.program import Program, Terms
from serving.grouping.infeasible.concessions import SoftConstraint
from serving.grouping.infeasible.relaxed_problem import relax
from serving.grouping.problem.people import Aim
from serving.grouping.problem.places import Pin
from serving.grouping.problem.policy import ADULT_LED, SessionType
from serving.grouping.problem.problem import Problem
from serving.grouping.state.arrays import ProblemData, build_data
from serving.grouping.state.draft import Draft


def relax_cheapest(
    problem: Problem, constraints: Sequence[SoftConstraint], nodes: int, until: float | None = None
) -> tuple[SoftConstraint, ...] | None:
    """Returns the cheapest of the constraints without which a problem is feasible; None where none were found.

    Args:
        problem: the day, or some blocks of it.
        constraints: what may be relaxed, of the rules in `ROWS`.
        nodes: parts of the search, after which the cheapest found so far has to do.
        until: when that has to do, on the clock of `time.perf_counter`; None: without a clock.
    """
    elastic = ElasticProgram(problem, constraints, until)
    if is_over(until):
        return None
    values, _ = elastic.program.solve(gap=0.0, nodes=nodes, until=until)
    if values is None:
        return None
    return tuple(constraint for constraint, column in zip(constraints, elastic.columns, strict=True) if values[column])


class ElasticProgram:
    """The program; `columns` are those of the constraints, in their order, and 1 where one is relaxed.

    Where the clock ends at `until`, its blocks are left out.
    """

    def __init__(self, problem: Problem, constraints: Sequence[SoftConstraint], until: float | None = None) -> None:
        self.problem = problem
        self.data: ProblemData = build_data(relax(problem, constraints))
        self.students = {student.id: at for at, student in enumerate(self.data.problem.students)}
        self.adults = {adult.id: at for at, adult in enumerate(self.data.problem.adults)}
        self.program = Program()
        concerned = {self.students[student] for constraint in constraints for student in constraint.students}
        mixed = {constraint.subject[0] for constraint in constraints if constraint.rule == "one_aim"}
        concerned |= {self.students[need.student] for need in problem.needs if need.skill in mixed}
        blocks = range(len(problem.blocks))
        self.models = add_blocks(Draft(self.data), blocks, self.program, sorted(concerned), until) or []
        self.program.points = [0.0] * len(self.program.points)
        self.columns = []
        for constraint in constraints:
            column = self.program.add(-constraint.penalty, whole=True)
            self.columns.append(column)
            for model in self.models:
                ROWS[constraint.rule](self, model, column, *constraint.subject)

    def require_relaxed(self, column: int, terms: Terms) -> None:
        """Allows any of some 0-1 columns only where the constraint of a column is relaxed."""
        for term in terms:
            self.program.bound([term, (column, -1.0)], -np.inf, 0.0)

    def places(self, model: BlockProgram, student: str) -> Iterator[tuple[int, int, int]]:
        """Yields the column, adult and skill of each place of a student."""
        for (position, adult, skill), column in model.places.items():
            if position == self.students[student]:
                yield column, adult, skill


def _pin(elastic: ElasticProgram, model: BlockProgram, column: int, pin: Pin) -> None:
    if elastic.problem.blocks[model.block].id != pin.block:
        return
    held: Terms = []
    for place, adult, skill in elastic.places(model, pin.student):
        named = (None, elastic.data.problem.adults[adult].id), (None, elastic.data.at.topics[skill].skill)
        held.append((place, 1.0))
        if pin.online or pin.adult not in named[0] or pin.skill not in named[1]:
            elastic.require_relaxed(column, [(place, 1.0)])
        elif pin.session_type is not None:
            offers = [(offer.column, -1.0) for offer in model.kinds[adult, ADULT_LED.index(pin.session_type)]]
            elastic.program.bound([(place, 1.0), (column, -1.0), *offers], -np.inf, 0.0)
    if not pin.online:
        elastic.program.bound([*held, (column, 1.0)], 1.0, np.inf)


def _need(elastic: ElasticProgram, model: BlockProgram, column: int, student: str, skills: tuple[str, ...]) -> None:
    topics = elastic.data.at.topics
    unlisted = [(at, 1.0) for at, _, topic in elastic.places(model, student) if topics[topic].skill in skills]
    elastic.require_relaxed(column, unlisted)


def _pair(elastic: ElasticProgram, model: BlockProgram, column: int, one: str, other: str) -> None:
    for lead in model.adults:
        both = [
            (place, 1.0)
            for student in (one, other)
            for place, adult, _ in elastic.places(model, student)
            if adult == lead
        ]
        elastic.program.bound([*both, (column, -1.0)], -np.inf, 1.0)


def _exclusion(elastic: ElasticProgram, model: BlockProgram, column: int, student: str, adult: str) -> None:
    lead = elastic.adults[adult]
    with_lead = [(at, 1.0) for at, other, _ in elastic.places(model, student) if other == lead]
    elastic.require_relaxed(column, with_lead)


def _aim(elastic: ElasticProgram, model: BlockProgram, column: int, skill: str) -> None:
    """Gives each session on the skill one aim: places of other aims are open where the constraint is relaxed."""
    aims = {need.student: need.aim for need in elastic.problem.needs if need.skill == skill}
    (topic,) = elastic.data.at.of_skill[skill]
    with_aim: dict[tuple[int, Aim], Terms] = {}
    for (student, adult, on), place in model.places.items():
        name = elastic.data.problem.students[student].id
        if on == topic and name in aims:
            with_aim.setdefault((adult, aims[name]), []).append((place, 1.0))
    held: dict[int, Terms] = {}
    for (adult, _), places in with_aim.items():
        chosen = elastic.program.add(0.0, whole=True)
        held.setdefault(adult, []).append((chosen, 1.0))
        elastic.require_relaxed(chosen, places)
    for chosen_aims in held.values():
        elastic.program.bound([*chosen_aims, (column, 1.0 - len(chosen_aims))], -np.inf, 1.0)


def _subject(elastic: ElasticProgram, model: BlockProgram, column: int, block: str) -> None:
    here = elastic.problem.blocks[model.block]
    if here.id == block and here.skills is not None:
        topics = elastic.data.at.topics
        others = [(lead, 1.0) for (_, at), lead in model.leads.items() if topics[at].skill not in here.skills]
        elastic.require_relaxed(column, others)


def _accommodation(elastic: ElasticProgram, model: BlockProgram, column: int, student: str) -> None:
    adults = elastic.data.problem.adults
    elastic.require_relaxed(
        column, [(at, 1.0) for at, adult, _ in elastic.places(model, student) if not adults[adult].certified]
    )


def _presence(elastic: ElasticProgram, model: BlockProgram, column: int, adult: str, block: str, *_: object) -> None:
    if elastic.problem.blocks[model.block].id == block:
        elastic.require_relaxed(column, model.duties(elastic.adults[adult]))


def _permission(elastic: ElasticProgram, model: BlockProgram, column: int, adult: str, kind: SessionType) -> None:
    at = elastic.adults[adult]
    if kind is SessionType.ONLINE:
        elastic.require_relaxed(column, [(model.monitors[at], 1.0)] if at in model.monitors else [])
    else:
        offers = model.kinds.get((at, ADULT_LED.index(kind)), [])
        elastic.require_relaxed(column, [(offer.column, 1.0) for offer in offers])


def _qualification(elastic: ElasticProgram, model: BlockProgram, column: int, adult: str, skill: str) -> None:
    leads = (model.leads.get((elastic.adults[adult], topic)) for topic in elastic.data.at.of_skill[skill])
    elastic.require_relaxed(column, [(lead, 1.0) for lead in leads if lead is not None])


def _supervision(elastic: ElasticProgram, model: BlockProgram, column: int, adult: str) -> None:
    at = elastic.adults[adult]
    if at not in model.adults:
        return
    teaching = [
        (of, -1.0)
        for other in model.adults
        if elastic.data.problem.adults[other].supervisor
        for of, _ in model.duties(other)
    ]
    elastic.program.bound([*model.duties(at), *teaching, (column, -1.0)], -np.inf, 0.0)


ROWS: dict[str, Callable[..., None]] = {
    "pinned": _pin,
    "eligibility": _need,
    "keep_apart": _pair,
    "adult_exclusions": _exclusion,
    "one_aim": _aim,
    "block_skills": _subject,
    "certified": _accommodation,
    "adult_available": _presence,
    "permission": _permission,
    "qualified": _qualification,
    "supervision": _supervision,
}
"""Adds the rows by which a rule holds in a block unless the column of its constraint is 1."""
