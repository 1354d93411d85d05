"""Groups that stay together: needs that make their places eligible, faces that are wanted, and fixed assignments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from serving.grouping import Aim, Need, Pin, Problem, Purpose, SessionType, Skill

MissingNeed = Callable[[str, str], Need]
"""Gives the need of a student who has none listed in a skill; its purpose does not matter."""


@dataclass(frozen=True)
class Group:
    """Students who sit together in one block.

    Attributes:
        block: Id of the block.
        adult: Id of who leads.
        skill: Id of the skill.
        session_type: Type of the session.
        students: Ids of who sits there; others may join.
    """

    block: str
    adult: str
    skill: str
    session_type: SessionType
    students: tuple[str, ...]


def expect_groups(
    problem: Problem, groups: Sequence[Group], missing: MissingNeed, skill_names: Mapping[str, str]
) -> Problem:
    """The day on which groups may sit together again.

    Whoever has no need in the skill of a group gets one, so that the place is eligible, and all have one aim there.
    That they met lately, or met the adult, counts nothing: the same faces are wanted.

    Args:
        problem: The day.
        groups: Groups whose students and adult are there, none of them in two places.
        missing: Gives needs that are not listed.
        skill_names: Names of the groups' skills, by id.
    """
    needs = {(need.student, need.skill): need for need in problem.needs}
    for group in groups:
        needs |= _share_aim(group, needs, missing)
    pairs = {pair for group in groups for pair in combinations(sorted(group.students), 2)}
    contacts = {(student, group.adult) for group in groups for student in group.students}
    known = {skill.id for skill in problem.skills}
    named = {group.skill for group in groups} | {need.because_of for need in needs.values() if need.because_of}
    return replace(
        problem,
        needs=tuple(needs.values()),
        skills=(*problem.skills, *(Skill(skill, skill_names.get(skill, skill)) for skill in sorted(named - known))),
        recent_groupmates=tuple(mate for mate in problem.recent_groupmates if (mate.first, mate.second) not in pairs),
        contacts=tuple(contact for contact in problem.contacts if (contact.student, contact.adult) not in contacts),
    )


def fix_groups(
    problem: Problem, groups: Sequence[Group], missing: MissingNeed, skill_names: Mapping[str, str]
) -> Problem:
    """The day with groups as `expect_groups` has it, each place a fixed assignment."""
    expected = expect_groups(problem, groups, missing, skill_names)
    pins = (
        Pin(student, group.block, group.session_type, group.skill, group.adult)
        for group in groups
        for student in group.students
    )
    return replace(expected, pins=(*expected.pins, *pins))


def _share_aim(
    group: Group, needs: Mapping[tuple[str, str], Need], missing: MissingNeed
) -> dict[tuple[str, str], Need]:
    """The needs of a group's students in its skill, all with one aim: help first, then a beginning, then more."""
    listed = [needs[student, group.skill] for student in group.students if (student, group.skill) in needs]
    listed.sort(key=lambda need: (_rank(need.purpose), -need.need))
    purpose = listed[0].purpose if listed else Purpose.CHECK_IN
    found = {}
    for student in group.students:
        need = needs.get((student, group.skill)) or replace(missing(student, group.skill), purpose=purpose)
        same = _rank(need.purpose) == _rank(purpose)
        found[student, group.skill] = need if same else replace(need, purpose=purpose)
    return found


def _rank(purpose: Purpose | None) -> int:
    return 0 if purpose is None else [*Aim].index(purpose.aim)


def list_places(problem: Problem) -> set[tuple[str, str]]:
    """The students and blocks, and the adults and blocks, of all fixed assignments."""
    pins = ((pin.student, pin.block) for pin in problem.pins)
    adults = ((pin.adult, pin.block) for pin in problem.pins if pin.adult is not None)
    return set(chain(pins, adults))
