"""Finds the sentences of a plan that are not true, from the problem and the rules alone.

Every claim of every sentence is worked out again by brute force, with the checker and the score: the changed plan that
a claim names is checked and scored as a whole. Every number that is read in a sentence must be a figure of its claims.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from serving.grouping import ADULT_LED, Plan, Problem, Score, Session, find_violations, score_plan
from serving.grouping.problem.people import Need
from serving.grouping.problem.plan import Claim
from serving.grouping.problem.policy import SessionType

SHOWN = 0.005
"""Need points from which on a difference is told."""

EXACT = 1e-6

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?%?")

PEOPLE = {"adult_available", "qualified", "certified", "adult_exclusions", "block_skills", "permission", "presence"}
"""Rules about one student, one adult and one block."""

PLACES = {"group_size", "room_capacity"}


@dataclass(frozen=True)
class FalseSentence:
    """A sentence and what is wrong with it."""

    sentence: str
    why: str


@dataclass(frozen=True)
class _Subject:
    """Whom and what a sentence is about: a student, a skill, a session; None where it is about none."""

    student: str | None = None
    skill: str | None = None
    session: Session | None = None


def count_false_sentences(problem: Problem, plan: Plan) -> int:
    """Returns how many sentences of a plan state something that is not so.

    Args:
        problem: the day that the plan is of.
        plan: with its reasons; it has to keep every rule.
    """
    return len(find_false_sentences(problem, plan))


def find_false_sentences(problem: Problem, plan: Plan) -> list[FalseSentence]:
    """Returns the sentences of a plan that state something that is not so, each with the first thing found."""
    judge = _Judge(problem, plan)
    found = []
    for sentence, claims, subject in _list_sentences(plan):
        why = next(judge.find_faults(sentence, claims, subject), None)
        if why is not None:
            found.append(FalseSentence(sentence, why))
    return found


def _list_sentences(plan: Plan) -> Iterator[tuple[str, tuple[Claim, ...], _Subject]]:
    sessions = {session.id: session for session in plan.sessions}
    for reason in plan.session_reasons:
        session = sessions[reason.session]
        yield reason.sentence, reason.claims, _Subject(None, session.skill, session)
    for seat in plan.seat_reasons:
        session = sessions[seat.session]
        yield seat.sentence, seat.claims, _Subject(seat.student, session.skill, session)
    for unmet in plan.unmet:
        yield unmet.sentence, unmet.claims, _Subject(unmet.student, unmet.skill)


class _Judge:
    """One plan, and what its claims are held against."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.sessions = plan.sessions
        self.by_id = {session.id: session for session in plan.sessions}
        self.needs = {(need.student, need.skill): need for need in problem.needs}
        self.students = {student.id: student for student in problem.students}
        self.score = score_plan(problem, plan.sessions)
        labels = [block.label for block in problem.blocks] + [skill.name for skill in problem.skills]
        self.names = sorted({*labels, *(adult.id for adult in problem.adults)}, key=len, reverse=True)

    def find_faults(self, sentence: str, claims: tuple[Claim, ...], subject: _Subject) -> Iterator[str]:
        """Yields what is wrong with a sentence."""
        if not claims:
            yield "it has no claim"
        read = sentence
        for name in self.names:
            read = read.replace(name, "")
        figures = [sign * value for claim in claims for _, value in claim.figures for sign in (1, -1)]
        known = {text for value in figures for text in (f"{value:.0f}", f"{value:.1f}", f"{value:.2f}", f"{value:.0%}")}
        for number in NUMBER.findall(read):
            if number not in known:
                yield f"no claim has the number {number}"
        for claim in claims:
            check = CHECKS.get(claim.code)
            if check is None:
                yield f"nobody knows how to check {claim.code}"
                continue
            if claim.exchange is not None:
                yield from self._find_exchange_faults(claim)
            if not check(self, claim, subject):
                yield f"{claim.code} is not so: {claim.figures}"

    def changed(self, claim: Claim) -> tuple[Session, ...]:
        """Returns the plan after the change that a claim names."""
        assert claim.exchange is not None
        return claim.exchange.apply(self.sessions)

    def gain(self, claim: Claim) -> Score:
        """Returns the score after the change that a claim names, less that of the plan."""
        after = score_plan(self.problem, self.changed(claim))
        terms = [
            replace(new, value=new.value - old.value, points=new.points - old.points)
            for old, new in zip(self.score.terms, after.terms, strict=True)
        ]
        return Score(after.total - self.score.total, tuple(terms))

    def held(self, subject: _Subject, blocks: tuple[str, ...]) -> list[Session]:
        """Returns the adult-led sessions on what the student needs, with its aim, while the student is there."""
        assert subject.student is not None
        there = self.students[subject.student].blocks
        wanted = self.needs[subject.student, subject.skill or ""]
        return [
            session
            for session in self.sessions
            if session.led
            and session.skill == subject.skill
            and session.block in there
            and (not blocks or session.block in blocks)
            and all(self.needs[student, subject.skill or ""].aim == wanted.aim for student in session.students)
        ]

    def unmet(self, student: str) -> list[Need]:
        """Returns the needs of a student that no session of the day is on."""
        met = {session.skill for session in self.sessions if student in session.students}
        return [need for need in self.problem.needs if need.student == student and need.skill not in met]

    def count_urgent(self, sessions: tuple[Session, ...]) -> int:
        """Returns how many urgent needs have a seat with an adult."""
        led = [session for session in sessions if session.led]
        return sum(self.needs[student, held.skill or ""].urgent > 0 for held in led for student in held.students)

    def breaks(self, session: Session) -> set[str]:
        """Returns the rules about one session that a session breaks when it is held in place of that of its id."""
        rest = tuple(old for old in self.sessions if old.id != session.id)
        return self.rules_of((*rest, session))

    def rules_of(self, sessions: tuple[Session, ...]) -> set[str]:
        """Returns the rules that a plan breaks."""
        return {violation.rule for violation in find_violations(self.problem, sessions)}

    def _find_exchange_faults(self, claim: Claim) -> Iterator[str]:
        exchange = claim.exchange
        assert exchange is not None
        if any(self.by_id.get(session.id) != session for session in exchange.before):
            yield "the change is of sessions that the plan does not have"
        broken = find_violations(self.problem, self.changed(claim))
        if broken:
            yield f"the change breaks {broken[0].rule}: {broken[0].sentence}"
        elif abs(_need_of(self.gain(claim)) - exchange.need) > EXACT:
            yield f"the change gains {_need_of(self.gain(claim))} need points, not {exchange.need}"


def _need_of(gain: Score) -> float:
    return sum(term.points for term in gain.terms if term.name in {"benefit", "urgent"})


def _figure(claim: Claim, name: str) -> float:
    return dict(claim.figures)[name]


def _students(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    if claim.exchange is None:
        session = judge.by_id[claim.sessions[0]]
        (name, value), *more = claim.figures
        of_purpose = [
            s for s in session.students if name == getattr(judge.needs.get((s, session.skill or "")), "purpose", None)
        ]
        return not more and value == (len(session.students) if name == "students" else len(of_purpose))
    figures = dict(claim.figures)
    old = {session.id: session for session in claim.exchange.before}
    if not claim.sessions:
        own = None if subject.session is None or not subject.session.led else subject.session.id
        held = [s for s in claim.exchange.after if s.led and (s.id == own if own else s.id not in old)]
        return [len(session.students) for session in held] == [figures["students"]]
    before = old[claim.sessions[0]]
    after = next(session for session in claim.exchange.after if session.id == before.id)
    if "students" in figures:
        if figures["students"] != len(before.students):
            return False
        if len(figures) == 1:  # a further seat
            return set(before.students) < set(after.students) and after.skill == before.skill
        told = before.students
    else:
        told = tuple(set(before.students) - set(after.students))
    return _is_range(claim, [judge.needs[student, before.skill or ""] for student in told])


def _is_range(claim: Claim, needs: list[Need]) -> bool:
    figures = dict(claim.figures)
    if "risk_least" in figures:
        values: list[float | None] = [need.struggle_risk for need in needs]
        wanted = figures["risk_least"], figures["risk_most"]
    else:
        values = [need.need for need in needs]
        wanted = figures["need_least"], figures["need_most"]
    known = [value for value in values if value is not None]
    return len(known) == len(needs) > 0 and (min(known), max(known)) == wanted


def _meets_need(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    rest = tuple(session for session in judge.sessions if session.id != claim.sessions[0])
    before, after = (
        next(term.value for term in score.terms if term.name == "benefit")
        for score in (judge.score, score_plan(judge.problem, rest))
    )
    session = judge.by_id[claim.sessions[0]]
    urgent = [student for student in session.students if judge.needs[student, session.skill or ""].urgent > 0]
    return abs(before - after - _figure(claim, "need")) < EXACT and len(urgent) == _figure(claim, "urgent")


def _waiting(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    session = judge.by_id[claim.sessions[0]]
    aims = {judge.needs[student, session.skill or ""].aim for student in session.students}
    waiting = [
        student.id
        for student in judge.problem.students
        if session.block in student.blocks
        and any(need.skill == session.skill and need.aim in aims for need in judge.unmet(student.id))
    ]
    return len(waiting) == _figure(claim, "students")


def _coaching(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    session = judge.by_id[claim.sessions[0]]
    asked = {frozenset((pair.coach, pair.trainee)) for pair in judge.problem.coaching}
    return all({session.adults[0], adult} in asked for adult in session.adults[1:])


def _forecast(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    need = judge.needs[subject.student or "", subject.skill or ""]
    figures = dict(claim.figures)
    if need.struggle_risk is None:
        return not figures
    return figures == {"struggle_risk": need.struggle_risk} | (
        {} if need.mastery is None else {"mastery": need.mastery}
    )


def _need(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return judge.needs[subject.student or "", subject.skill or ""].need == _figure(claim, "need")


def _greatest_need(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    own = judge.needs[subject.student or "", subject.skill or ""]
    needs = [need for need in judge.problem.needs if need.student == subject.student]
    return all((need.urgent, need.need) <= (own.urgent, own.need) for need in needs)


def _fixed(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    assert subject.session is not None
    return any((pin.student, pin.block) == (subject.student, subject.session.block) for pin in judge.problem.pins)


def _group_time_due(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    assert subject.session is not None
    assert subject.student is not None
    is_group = subject.session.session_type in {SessionType.SMALL_GROUP, SessionType.TUTORING}
    return judge.students[subject.student].group_time_due and is_group


def _only_adult_time(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return [s for s in judge.sessions if s.led and subject.student in s.students] == [subject.session]


def _meetings(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    assert subject.session is not None
    lead = subject.session.adults[0]
    met = sum(c.sessions for c in judge.problem.contacts if (c.student, c.adult) == (subject.student, lead))
    return met == _figure(claim, "meetings")


def _no_need(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return all(need.student != subject.student for need in judge.problem.needs)


def _met_elsewhere(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return not _no_need(judge, claim, subject) and not judge.unmet(subject.student or "")


def _no_adult(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    seats = (
        Session("tried", block.id, kind, subject.skill, (adult.id,), None, (subject.student or "",))
        for block in judge.problem.blocks
        for adult in judge.problem.adults
        for kind in ADULT_LED
    )
    return all({found.rule for found in find_violations(judge.problem, (seat,))} & PEOPLE for seat in seats)


def _not_taught(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    if subject.skill is not None:
        return not judge.held(subject, claim.blocks)
    subjects = (replace(subject, skill=need.skill) for need in judge.unmet(subject.student or ""))
    return not any(judge.held(each, claim.blocks) for each in subjects)


def _told(judge: _Judge, claim: Claim, subject: _Subject) -> list[tuple[_Subject, list[Session]]]:
    """The sessions that a claim is about, held against all there are on the skill of them."""
    sessions = [judge.by_id[name] for name in claim.sessions]
    told = replace(subject, skill=sessions[0].skill)
    blocks = () if subject.session is None else (subject.session.block,)
    return [(told, sessions)] if sessions == judge.held(told, blocks) else []


def _seats_taken(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    for told, sessions in _told(judge, claim, subject):
        own = judge.needs[told.student or "", told.skill or ""]
        figures = dict(claim.figures)
        less = figures["risk"] == own.struggle_risk if "risk" in figures else figures["need"] == own.need
        least = figures.get("risk_least", figures.get("need_least", 0.0))
        members = [judge.needs[student, told.skill or ""] for session in sessions for student in session.students]
        full = all(
            judge.breaks(replace(session, students=(*session.students, told.student or ""))) & PLACES
            for session in sessions
        )
        greater = least > figures["risk" if "risk" in figures else "need"]
        return full and less and greater and figures["sessions"] == len(sessions) and _is_range(claim, members)
    return False


def _kept_apart(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return any(
        all("keep_apart" in judge.breaks(replace(s, students=(*s.students, told.student or ""))) for s in sessions)
        for told, sessions in _told(judge, claim, subject)
    )


def _may_not_lead(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return any(
        all(judge.breaks(replace(s, students=(*s.students, told.student or ""))) & PEOPLE for s in sessions)
        for told, sessions in _told(judge, claim, subject)
    )


def _busy_then(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return all(
        any(other.led and subject.student in other.students for other in judge.sessions if other.block == session.block)
        for session in judge.held(subject, claim.blocks)
    )


def _try_seats(judge: _Judge, claim: Claim, subject: _Subject) -> Iterator[set[str]]:
    """Yields the rules that each change breaks: joining a session, taking a seat there, holding another session."""
    student = subject.student or ""
    need = next((need for need in judge.unmet(student) if need.skill == claim.skill), None)
    if need is None or subject.skill not in {None, need.skill}:
        yield set()  # it is about no need that waits, or about another one than its sentence
        return
    there = claim.blocks or tuple(sorted(judge.students[student].blocks))
    for session in judge.held(replace(subject, skill=need.skill), there):
        others = tuple(s for s in judge.sessions if s.id != session.id)
        for gone in ("", *session.students):
            seated = replace(session, students=(*(s for s in session.students if s != gone), student))
            rest = tuple(
                replace(s, students=(*(name for name in s.students if name != student), *([gone] if gone else [])))
                if s.block == session.block and student in s.students
                else s
                for s in others
            )
            yield judge.rules_of((seated, *(s for s in rest if s.students)))
    waiting = [n.student for n in judge.problem.needs if (n.skill, n.aim) == (need.skill, need.aim)]
    waiting = [name for name in waiting if name != student and _lacks(judge, name, need.skill)]
    for block in there:
        here = [session for session in judge.sessions if session.block == block]
        if not any(student in session.students for session in here if session.led):
            yield from _try_sessions(judge, block, here, need, waiting)


def _lacks(judge: _Judge, student: str, skill: str) -> bool:
    return any(need.skill == skill for need in judge.unmet(student))


def _try_sessions(judge: _Judge, block: str, here: list[Session], need: Need, waiting: list[str]) -> Iterator[set[str]]:
    """Yields the rules that each session breaks which an adult of a block could hold for a student and others.

    The smallest group and the largest of each type are tried, in the largest room.
    """
    rest = tuple(session for session in judge.sessions if session.block != block)
    taken = {session.room for session in here}
    rooms = [room for room in judge.problem.rooms or () if room.id not in taken and not room.station]
    largest = max(rooms, key=lambda room: room.capacity).id if rooms else None
    stations = [session for session in here if not session.led]
    for adult in (adult for adult in judge.problem.adults if block in adult.blocks):
        ended = next((session for session in here if session.led and session.adults[0] == adult.id), None)
        if ended is None and any(adult.id in session.adults for session in here if session.led):
            continue
        others = tuple(session for session in here if session.led and session != ended)
        free = {name for session in (*stations, *([ended] if ended else [])) for name in session.students}
        group = [need.student, *(name for name in waiting if name in free)]
        for bound in judge.problem.sizes:
            fits = [at * size for at in range(1, bound.tables + 1) for size in range(bound.least, bound.most + 1)]
            fits = [size for size in fits if size <= min(len(group), adult.max_group or len(group))]
            for size in {min(fits), max(fits)} if fits else ():
                held = Session(
                    "tried", block, bound.session_type, need.skill, ended.adults if ended else (adult.id,),
                    ended.room if ended else largest, tuple(group[:size]),
                )  # fmt: skip
                left = tuple(name for name in (ended.students if ended else ()) if name not in held.students)
                homes = [
                    replace(
                        station,
                        students=tuple(name for name in station.students if name not in held.students),
                        adults=tuple(name for name in station.adults if name != adult.id),
                    )
                    for station in stations
                ]
                for at, home in enumerate(homes):
                    moved = (*homes[:at], replace(home, students=(*home.students, *left)), *homes[at + 1 :])
                    online = tuple(session for session in moved if session.students)
                    yield judge.rules_of((held, *others, *online, *rest))


def _no_change(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return all(_try_seats(judge, claim, subject))


def _online_full(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    tried = list(_try_seats(judge, claim, subject))
    return all(tried) and any(broken <= {"monitors", "room_capacity"} for broken in tried)


def _not_looked_at(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    return True  # it says nothing of the plan


def _tells_need(judge: _Judge, gain: Score, claim: Claim) -> bool:
    terms = {term.name: term.value for term in gain.terms}
    more = judge.count_urgent(judge.changed(claim)) - judge.count_urgent(judge.sessions)
    told = {"need": terms["benefit"], "urgent": terms["urgent"], "urgent_needs": more}
    return all(abs(value - _figure(claim, name)) < EXACT for name, value in told.items())


def _loses_need(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    gain = judge.gain(claim)
    return _tells_need(judge, gain, claim) and _need_of(gain) < 0


def _given_up(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    gain = judge.gain(claim)
    return _tells_need(judge, gain, claim) and _need_of(gain) >= SHOWN and gain.total < 0 and _is_worst(gain, claim)


def _no_gain(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    gain = judge.gain(claim)
    worst = "points" not in dict(claim.figures) or _is_worst(gain, claim)
    return _tells_need(judge, gain, claim) and _need_of(gain) < SHOWN and gain.total < EXACT and worst


def _is_worst(gain: Score, claim: Claim) -> bool:
    worst = min((term for term in gain.terms if term.name not in {"benefit", "urgent"}), key=lambda term: term.points)
    return abs(worst.points - _figure(claim, "points")) < EXACT


def _overlooked(judge: _Judge, claim: Claim, subject: _Subject) -> bool:
    gain = judge.gain(claim)
    return _tells_need(judge, gain, claim) and gain.total > 0


CHECKS: dict[str, Callable[[_Judge, Claim, _Subject], bool]] = {
    check.__name__.removeprefix("_"): check
    for check in (
        _students, _meets_need, _waiting, _coaching, _forecast, _need, _greatest_need, _fixed, _group_time_due,
        _only_adult_time, _meetings, _no_need, _met_elsewhere, _no_adult, _not_taught, _seats_taken, _kept_apart,
        _may_not_lead, _busy_then, _no_change, _online_full, _not_looked_at, _loses_need, _given_up, _no_gain,
        _overlooked,
    )
}  # fmt: skip
"""How each code of `rules/explain.py` is checked."""
