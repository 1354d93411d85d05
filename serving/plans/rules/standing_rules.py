"""A team's standing rules on one day: what of them holds, what gives way, and why.

A standing rule was written for every day, so that it gives way where one day cannot keep it: to an absence, to a need
that is no longer there, and, the cheapest first, to the other rules of a day that has no plan with it. Each time a note
says so. A rule of the request does not give way; nor does who needs a certified adult, or which adult never leads whom.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from features.roster import Rule
from serving.grouping import Conflict, Pin, Problem, Relaxation, SoftConstraint, give_way

NODES, PROGRAMS = 1, 10
"""Limits of the exact programs that look for the cheapest rules to give way, since a caller waits."""

WAY_SHARE = 0.3
"""Share of the time left that looking for them may take; the rest is the search's."""


@dataclass(frozen=True)
class Note:
    """One standing rule, series, or part of the roster, that a plan goes without.

    Attributes:
        rule_id: The rule; null where it is no rule.
        students: For whom.
        sentence: What and why, in plain words.
        series_id: The series; null where it is none.
    """

    rule_id: str | None
    students: tuple[str, ...]
    sentence: str
    series_id: str | None = None


@dataclass(frozen=True)
class RuleBook:
    """The fixed assignments and pairs of a day, and where they come from.

    Attributes:
        pins: Each fixed assignment with the ids of its rules; those of a request are such as `rules[0]`.
        apart: The same for pairs not to be grouped.
        permanent: Ids of the standing rules.
        notes: What gave way already.
    """

    pins: Mapping[Pin, tuple[str, ...]]
    apart: Mapping[tuple[str, str], tuple[str, ...]]
    permanent: frozenset[str]
    notes: tuple[Note, ...]

    def rules_of(self, constraint: SoftConstraint) -> tuple[str, ...]:
        """The ids of the rules behind a constraint of the planner; empty for what no rule says."""
        if constraint.rule == "pinned":
            return self.pins.get(constraint.subject[0], ())
        if constraint.rule == "keep_apart":
            one, other = constraint.subject
            return self.apart.get((one, other), ())
        return ()

    def name_rules(self, rules: Collection[str], students: Collection[str]) -> list[str]:
        """The ids of the rules of these kinds that are about some of these students."""
        found = [ids for pin, ids in self.pins.items() if "pinned" in rules and pin.student in students]
        found += [ids for pair, ids in self.apart.items() if "keep_apart" in rules and set(pair) <= set(students)]
        return sorted({each for ids in found for each in ids})

    def gives_way(self, constraint: SoftConstraint) -> bool:
        """Whether nothing but standing rules ask for what a constraint says."""
        ids = self.rules_of(constraint)
        return bool(ids) and set(ids) <= self.permanent


@dataclass(frozen=True)
class DayFacts:
    """What decides whether a standing rule can be kept, beside the other rules.

    Attributes:
        blocks: Ids of the day's blocks, in order.
        students: Blocks in which each student is there.
        staff: Blocks in which each adult is there.
        needs: The skills that each student needs today.
        skill_names: Names of skills.
    """

    blocks: Sequence[str]
    students: Mapping[str, frozenset[str]]
    staff: Mapping[str, frozenset[str]]
    needs: Mapping[str, Collection[str]]
    skill_names: Mapping[str, str]


def read_rules(permanent: Sequence[Rule], requested: Sequence[Rule], kept: Sequence[Pin], facts: DayFacts) -> RuleBook:
    """The fixed assignments and pairs of a day.

    A fixed assignment without a block has the first in which everybody named is there and free of other ones.

    Args:
        permanent: The roster's rules of the team.
        requested: Those of the request.
        kept: Seats of an earlier plan that stay.
        facts: Who is there and needs what.
    """
    notes: list[Note] = []
    pins: dict[Pin, list[str]] = defaultdict(list)
    for pin in kept:
        pins[pin].append("keep_sessions")
    asked = [(f"rules[{at}]", rule) for at, rule in enumerate(requested)]
    rules = [*asked, *((rule.rule_id, rule) for rule in permanent)]
    today = [(name, rule) for name, rule in rules if rule.kind == "pinned" and rule.block_id in (None, *facts.blocks)]
    for name, rule in sorted(today, key=lambda named: named[1].block_id is None):  # places that are said come first
        taken = {(pin.student, pin.block) for pin in pins}
        if (name, rule) in asked:  # it gives way to nothing, so that what it contradicts is reported
            block = rule.block_id or _find_block(rule, rule.students, taken, facts) or facts.blocks[0]
            found = _pins(rule, rule.students, block)
        else:
            found, lost = _place(rule, taken, facts)
            notes += [Note(name, students, sentence) for students, sentence in lost]
        for pin in found:
            pins[pin].append(name)
    apart: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, rule in rules:
        for pair in combinations(sorted(set(rule.students)), 2) if rule.kind == "keep_apart" else ():
            apart[pair].append(name)
    return RuleBook(
        {pin: tuple(names) for pin, names in pins.items()},
        {pair: tuple(names) for pair, names in apart.items()},
        frozenset(rule.rule_id for rule in permanent),
        tuple(notes),
    )


Lost = tuple[tuple[str, ...], str]
"""Students for whom a rule gave way, and a sentence about it."""


def _pins(rule: Rule, students: Sequence[str], block: str) -> list[Pin]:
    return [Pin(student, block, skill=rule.skill_id, adult=rule.staff_id) for student in students]


def _find_block(rule: Rule, students: Sequence[str], taken: Collection[tuple[str, str]], facts: DayFacts) -> str | None:
    """The first block in which the students and the adult are there, better one without other fixed assignments."""
    there = [facts.students[student] for student in students]
    if rule.staff_id is not None:
        there.append(facts.staff[rule.staff_id])
    free = [block for block in facts.blocks if all(block in blocks for blocks in there)]
    unpinned = [block for block in free if not any((student, block) in taken for student in students)]
    return next(iter(unpinned or free), None)


def _place(rule: Rule, taken: Collection[tuple[str, str]], facts: DayFacts) -> tuple[list[Pin], list[Lost]]:
    """The fixed assignments of a standing rule that can be kept, and for whom it gives way: to absences, to no need."""
    here = [student for student in rule.students if facts.students[student].intersection(facts.blocks)]
    needing = [student for student in here if _needs(rule, student, facts)]
    block = rule.block_id or _find_block(rule, needing, taken, facts)
    there: list[str] = []
    if block is None:
        why = "there is no block with everybody named there"
    elif rule.staff_id is not None and block not in facts.staff[rule.staff_id]:
        why = f"{rule.staff_id} is not there then"
    else:
        there, why = [student for student in needing if block in facts.students[student]], "not there then"
    lost = [
        (tuple(student for student in needing if student not in there), why),
        (tuple(student for student in here if student not in needing), _no_need(rule, facts)),
    ]
    told = [
        (students, f"{_describe(rule, students, facts)} gave way: {reason}.") for students, reason in lost if students
    ]
    return _pins(rule, there, block) if block is not None else [], told


def _needs(rule: Rule, student: str, facts: DayFacts) -> bool:
    needs = facts.needs.get(student, ())
    return bool(needs) if rule.skill_id is None else rule.skill_id in needs


def _no_need(rule: Rule, facts: DayFacts) -> str:
    if rule.skill_id is None:
        return "no need is listed today"
    return f"{facts.skill_names.get(rule.skill_id, rule.skill_id)} is not among the needs any more"


def _describe(rule: Rule, students: Sequence[str], facts: DayFacts) -> str:
    on = f" on {facts.skill_names.get(rule.skill_id, rule.skill_id)}" if rule.skill_id else ""
    adult = f" with {rule.staff_id}" if rule.staff_id else ""
    return f"The fixed assignment of {', '.join(students)}{on}{adult}"


def find_way(
    problem: Problem, rules: RuleBook, known: Sequence[Conflict], until: float | None
) -> tuple[Problem, tuple[Note, ...]] | None:
    """The day with the cheapest standing rules given up without which it has a plan, with a note about each.

    Args:
        problem: A day without a plan.
        rules: Where its fixed assignments and pairs come from.
        known: The conflicts that the search said.
        until: When to have found them, on the clock of `time.perf_counter`; null: no time limit.

    Returns:
        Null where standing rules are not what stops the day, or no such set was found.
    """
    found = give_way(
        problem,
        rules.gives_way,
        known,
        nodes=NODES,
        programs=PROGRAMS,
        until=until,
    )
    return None if found is None else (found.problem, tuple(_list_notes(problem, rules, found)))


def _list_notes(problem: Problem, rules: RuleBook, found: Relaxation) -> Iterator[Note]:
    labels = {block.id: block.label for block in problem.blocks}
    for constraint in found.constraints:
        students = constraint.students
        if constraint.rule == "pinned":
            what = f"The fixed assignment of {students[0]} in {labels[constraint.subject[0].block]}"
        else:
            what = f"That {' and '.join(students)} are not to be grouped together"
        for rule_id in rules.rules_of(constraint):
            yield Note(rule_id, students, f"{what} gave way: with it and the other rules the day has no plan.")
