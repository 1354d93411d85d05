"""Checks a finished plan, the solver's or a person's, against every hard rule; each rule is one function.

It shares no code with the solver, so that a mistake there cannot hide here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken hard rule: its name, and what breaks it in plain words (students by id)."""

    rule: str
    sentence: str


class Day:
    """A problem and a plan side by side, with ids resolved; only known ids may be asked for."""

    def __init__(self, problem: Problem, sessions: tuple[Session, ...]) -> None:
        self.problem = problem
        self.sessions = sessions
        self.led = tuple(session for session in sessions if session.led)
        self.students = {student.id: student for student in problem.students}
        self.adults = {adult.id: adult for adult in problem.adults}
        self.blocks = {block.id: block for block in problem.blocks}
        self.rooms = {room.id: room for room in problem.rooms or ()}

    def teachers_on_duty(self, block: str) -> bool:
        """Returns whether a supervising adult, usually a teacher, has a session in the block."""
        here = (adult for session in self.sessions if session.block == block for adult in session.adults)
        return any(self.adults[adult].supervisor for adult in here)


def find_violations(problem: Problem, sessions: tuple[Session, ...]) -> tuple[Violation, ...]:
    """Returns every breach of every hard rule; empty for a plan that may be used.

    A plan that breaks the rule `form`, such as by an unknown id, is not judged by the other rules.
    """
    day = Day(problem, sessions)
    unclear = tuple(Violation("form", sentence) for sentence in form(day))
    if unclear:
        return unclear
    return tuple(Violation(rule.__name__, sentence) for rule in RULES for sentence in rule(day))


def find_stage_violations(problem: Problem, sessions: tuple[Session, ...]) -> tuple[Violation, ...]:
    """Returns the breaches of `growth_stage`, the one hard rule that people do not overrule; ids have to be known."""
    return tuple(Violation(growth_stage.__name__, sentence) for sentence in growth_stage(Day(problem, sessions)))


def form(day: Day) -> Iterator[str]:
    """A session has an id of its own, known people and places, students, and if adult-led a skill and an adult."""
    for session_id, times in Counter(session.id for session in day.sessions).items():
        if times > 1:
            yield f"{times} sessions are called {session_id}."
    skills = {skill.id for skill in day.problem.skills}
    for session in day.sessions:
        named: tuple[tuple[str, tuple[str | None, ...], Collection[str]], ...] = (
            ("block", (session.block,), day.blocks),
            ("adult", session.adults, day.adults),
            ("student", session.students, day.students),
            ("room", (session.room,), day.rooms),
            ("skill", (session.skill,), skills),
        )
        for kind, values, known in named:
            for value in values:
                if value is not None and value not in known:
                    yield f"Session {session.id} names the {kind} {value}, which the problem does not have."
        yield from _find_missing(session)


def _find_missing(session: Session) -> Iterator[str]:
    if not session.students:
        yield f"Session {session.id} has no students."
    if not session.led and session.skill is not None:
        yield f"Session {session.id} is online and so has no skill of its own, but names {session.skill}."
    if session.led and session.skill is None:
        yield f"Session {session.id} is adult-led and so needs a skill."
    elif session.led and not session.adults:
        yield f"Session {session.id} is adult-led and so needs an adult."


def one_session(day: Day) -> Iterator[str]:
    """A present student sits in exactly one session of a block; each room for online work has a session of its own."""
    seats = Counter((student, s.block) for s in day.sessions for student in s.students)
    for student in day.students.values():
        for block in sorted(student.blocks):
            if seats[student.id, block] != 1:
                yield f"{student.id} has {seats[student.id, block]} sessions in {day.blocks[block].label}, not one."


def presence(day: Day) -> Iterator[str]:
    """A student who is absent in a block sits nowhere in it."""
    for session in day.sessions:
        for student in session.students:
            if session.block not in day.students[student].blocks:
                yield f"{student} is absent in {day.blocks[session.block].label} but sits in {session.id}."


def one_activity(day: Day) -> Iterator[str]:
    """An adult has at most one session in a block, as lead, as co-teacher, or supervising online work."""
    duties = Counter((adult, s.block) for s in day.sessions for adult in s.adults)
    for (adult, block), times in duties.items():
        if times > 1:
            yield f"{adult} has {times} sessions at once in {day.blocks[block].label}."


def skill_once(day: Day) -> Iterator[str]:
    """A student meets a skill in at most one session of the day."""
    seats = Counter((student, s.skill) for s in day.sessions if s.skill for student in s.students)
    for (student, skill), times in seats.items():
        if times > 1:
            yield f"{student} has {times} sessions on {skill} today."


def group_size(day: Day) -> Iterator[str]:
    """An adult-led session has as many students as its kind and its lead allow, at one or several tables."""
    bounds = {bound.session_type: bound for bound in day.problem.sizes}
    for session in day.led:
        count = len(session.students)
        bound = bounds.get(session.session_type)
        if bound is None:
            yield f"Session {session.id} is of the type {session.session_type}, which this team does not offer."
            continue
        if not any(bound.least * tables <= count <= bound.most * tables for tables in range(1, bound.tables + 1)):
            takes = f"{session.session_type} takes {bound.least}-{bound.most} a table"
            yield f"Session {session.id} has {count} students; {takes}."
        most = day.adults[session.adults[0]].max_group
        if most is not None and count > most:
            yield f"Session {session.id} has {count} students; {session.adults[0]} teaches at most {most}."


def permission(day: Day) -> Iterator[str]:
    """An adult leads, or supervises online, only the session types allowed; a co-teacher needs no permission."""
    for session in day.sessions:
        for adult in session.adults[:1] if session.led else session.adults:
            if session.session_type not in day.adults[adult].session_types:
                may_not = f"lead {session.session_type} sessions" if session.led else "supervise online work"
                yield f"{adult} has session {session.id} but may not {may_not}."


def growth_stage(day: Day) -> Iterator[str]:
    """An adult leads no larger group than the stage of growth allows, and leads and supervises nothing before that."""
    for session in day.sessions:
        for adult in session.adults[:1] if session.led else session.adults:
            most = day.adults[adult].stage_most
            if most == 0:
                yield f"{adult} has session {session.id} but is at a stage without sessions of their own."
            elif most is not None and session.led and len(session.students) > most:
                count = len(session.students)
                yield f"Session {session.id} has {count} students; {adult} is at a stage of at most {most}."


def co_teaching(day: Day) -> Iterator[str]:
    """An adult co-teaches only with a lead who is of a pair with the adult asked to coach, learn or observe."""
    asked = {roles for pair in day.problem.coaching if pair.sessions for roles in pair.roles}
    for session in day.led:
        for adult in session.adults[1:]:
            if (session.adults[0], adult) not in asked:
                yield f"{adult} co-teaches {session.id} with {session.adults[0]}, though neither coaches the other."


def supervision(day: Day) -> Iterator[str]:
    """An adult in training has sessions only while a supervising adult, such as a teacher, has one too."""
    for session in day.sessions:
        for adult in session.adults:
            if day.adults[adult].trainee and not day.teachers_on_duty(session.block):
                yield f"{adult} is in training and has {session.id} while no supervising adult is on duty."


def monitors(day: Day) -> Iterator[str]:
    """Every online session has, in its own room, enough adults for each to supervise no more students than one may."""
    ratio = day.problem.students_per_monitor
    for session in day.sessions:
        if not session.led and len(session.students) > ratio * len(set(session.adults)):
            there = f"{len(session.students)} students and {len(set(session.adults))} adults"
            yield f"Session {session.id} has {there}; one adult may supervise {ratio} online."


def rooms(day: Day) -> Iterator[str]:
    """Every session has a free room to itself, where the team plans rooms; rooms kept for online work hold no other."""
    taken: dict[tuple[str, str], list[str]] = defaultdict(list)
    for session in day.sessions:
        if session.room is None:
            if day.problem.rooms is not None:
                yield f"Session {session.id} has no room."
            continue
        taken[session.block, session.room].append(session.id)
        free = day.rooms[session.room].blocks
        if free is not None and session.block not in free:
            yield f"Session {session.id} is in room {session.room}, which is not free then."
        if session.led and day.rooms[session.room].station:
            yield f"Session {session.id} is in room {session.room}, which is kept for online work."
    for (_, room), ids in taken.items():
        if len(ids) > 1:
            yield f"Sessions {', '.join(ids)} are in room {room} at once."


def room_capacity(day: Day) -> Iterator[str]:
    """A room holds all students of its session."""
    for session in day.sessions:
        if session.room is not None and len(session.students) > day.rooms[session.room].capacity:
            room = day.rooms[session.room]
            yield f"Session {session.id} has {len(session.students)} students; room {room.id} holds {room.capacity}."


def adult_available(day: Day) -> Iterator[str]:
    """An adult has sessions only in blocks in which the adult is there."""
    for session in day.sessions:
        for adult in session.adults:
            if session.block not in day.adults[adult].blocks:
                yield f"{adult} is not there in {day.blocks[session.block].label} but has {session.id}."


def keep_apart(day: Day) -> Iterator[str]:
    """Students who must not be grouped together share no adult-led session."""
    apart: dict[str, set[str]] = defaultdict(set)
    for first, second in day.problem.keep_apart:
        apart[min(first, second)].add(max(first, second))
    for session in day.led:
        for first in sorted(apart.keys() & set(session.students)):
            for second in sorted(apart[first] & set(session.students)):
                yield f"{first} and {second} must not be grouped together but share {session.id}."


def pinned(day: Day) -> Iterator[str]:
    """A pinned student has in that block the session type, skill and lead named, adult-led unless that names online."""
    for pin in day.problem.pins:
        kept = any(
            session.led != (pin.session_type is SessionType.ONLINE)
            and (pin.session_type is None or session.session_type is pin.session_type)
            and (pin.skill is None or session.skill == pin.skill)
            and (pin.adult is None or pin.adult == session.adults[0])
            for session in day.sessions
            if session.block == pin.block and pin.student in session.students
        )
        if not kept:
            named = [part for part in (pin.session_type, pin.skill, pin.adult) if part] or ["an adult-led session"]
            yield f"{pin.student} is pinned to {', '.join(named)} in {day.blocks[pin.block].label}, but sits elsewhere."


def certified(day: Day) -> Iterator[str]:
    """A student whose accommodation asks for it has a certified lead in every adult-led session."""
    for session in day.led:
        if not day.adults[session.adults[0]].certified:
            for student in session.students:
                if day.students[student].needs_certified:
                    yield f"{student} needs a certified adult, and the lead of {session.id} is not certified."


def adult_exclusions(day: Day) -> Iterator[str]:
    """A student sits in no session led by an adult who must not lead the student."""
    excluded = set(day.problem.adult_exclusions)
    for session in day.led:
        for student in session.students:
            if (student, session.adults[0]) in excluded:
                yield f"{student} sits in {session.id}, though {session.adults[0]} must not lead the student."


def eligibility(day: Day) -> Iterator[str]:
    """A student sits in an adult-led session only on a skill that is listed as the student's need."""
    listed = {(need.student, need.skill) for need in day.problem.needs}
    for session in day.led:
        for student in session.students:
            if (student, session.skill) not in listed:
                yield f"{student} sits in {session.id} on {session.skill}, which is not among the student's needs."


def one_aim(day: Day) -> Iterator[str]:
    """All students of an adult-led session have one aim, and its type is one that may have it.

    The aims are support with a skill, its introduction, and more of it.
    """
    lessons = {bound.session_type for bound in day.problem.sizes if not bound.support}
    aims = {(need.student, need.skill): need.aim for need in day.problem.needs}
    for session in day.led:
        pairs = [(student, session.skill or "") for student in session.students]
        of_students = {aims[pair] for pair in pairs if pair in aims}
        if len(of_students) > 1:
            yield f"Session {session.id} has students with the aims {' and '.join(sorted(of_students))}."
        if session.session_type in lessons and "support" in of_students:
            yield f"Session {session.id} supports students, for which {session.session_type} is not meant."


def block_skills(day: Day) -> Iterator[str]:
    """An adult-led session is on a skill that may be taught in its block."""
    for session in day.led:
        block = day.blocks[session.block]
        if block.skills is not None and session.skill not in block.skills:
            yield f"Session {session.id} is on {session.skill}, which is not taught in {block.label}."


def qualified(day: Day) -> Iterator[str]:
    """The adult who leads a session is qualified in its skill."""
    for session in day.led:
        skills = day.adults[session.adults[0]].skills
        if skills is not None and session.skill not in skills:
            yield f"{session.adults[0]} leads {session.id} on {session.skill} without being qualified in it."


RULES: tuple[Callable[[Day], Iterator[str]], ...] = (
    one_session, presence, one_activity, skill_once, group_size, permission, growth_stage, co_teaching, supervision,
    monitors, rooms, room_capacity, adult_available, keep_apart, pinned, certified, adult_exclusions, eligibility,
    one_aim, block_skills, qualified,
)  # fmt: skip
