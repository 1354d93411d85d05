"""Scores a finished plan, the solver's or a person's: one function per soft term, in its own unit and in points."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from copy import copy
from functools import cached_property
from itertools import chain, combinations

from serving.grouping.problem.plan import Score, Session, Term
from serving.grouping.problem.policy import GROUPS, SessionType
from serving.grouping.problem.problem import Problem


class Ledger:
    """A problem's figures by id and a plan's seats, for the terms and the reasons."""

    def __init__(self, problem: Problem, sessions: tuple[Session, ...]) -> None:
        self.problem = problem
        self.sessions = sessions
        self.led = tuple(session for session in sessions if session.led)
        self.adults = {adult.id: adult for adult in problem.adults}
        self.needs = {(n.student, n.skill): n for n in problem.needs}
        self.known = {(c.student, c.adult) for c in problem.contacts if c.known}
        self.meetings = Counter({(c.student, c.adult): c.sessions for c in problem.contacts})
        self.group_time_due = {student.id for student in problem.students if student.group_time_due and student.blocks}
        self.adult_time_due = {student.id for student in problem.students if student.adult_time_due and student.blocks}
        self._effects = {(effect.session_type, effect.role): effect for effect in problem.effects}

    def of(self, sessions: tuple[Session, ...], led_seats: Counter[str] | None = None) -> "Ledger":
        """Returns the ledger of other sessions of the same problem, which is not read again.

        Args:
            sessions: those of another plan, or parts of them.
            led_seats: what counts as each student's adult-led seats; None: those of the sessions.
        """
        other = copy(self)
        for name in ("benefits", "skills_met", "led_seats"):
            other.__dict__.pop(name, None)
        other.sessions, other.led = sessions, tuple(session for session in sessions if session.led)
        if led_seats is not None:
            other.__dict__["led_seats"] = led_seats.copy()
        return other

    def effect(self, session_type: SessionType, role: str, *, low_evidence: bool) -> float:
        """Returns the share of a need that a session meets, 0 for a combination the table does not know."""
        effect = self._effects.get((session_type, role))
        if effect is None:
            return 0.0
        return effect.low_evidence if low_evidence and effect.low_evidence is not None else effect.effect

    def qualification(self, adult: str, skill: str | None) -> float:
        """Returns how well qualified an adult is in a skill, 0 for not at all."""
        skills = self.adults[adult].skills
        return 1.0 if skills is None else skills.get(skill or "", 0.0)

    def benefit(self, session: Session, student: str) -> float:
        """Returns need x effect x qualification x crowding of one adult-led seat, 0 where the need is not listed.

        Crowding is the share of the effect that is left in a session of this size, see `SizeCurve`.
        """
        need = self.needs.get((student, session.skill or ""))
        if need is None:
            return 0.0
        lead = session.adults[0]
        effect = self.effect(session.session_type, self.adults[lead].role, low_evidence=need.low_evidence)
        crowding = self.problem.size_curve.share(len(session.students))
        return need.need * effect * self.qualification(lead, session.skill) * crowding

    @cached_property
    def groupmates(self) -> dict[tuple[str, str], int]:
        """How many adult-led sessions pairs of students shared lately."""
        return {(mate.first, mate.second): mate.sessions for mate in self.problem.recent_groupmates}

    @cached_property
    def benefits(self) -> tuple[tuple[float, ...], ...]:
        """The `benefit` of each student of each adult-led session, in their order."""
        return tuple(tuple(self.benefit(session, student) for student in session.students) for session in self.led)

    @cached_property
    def skill_names(self) -> dict[str, str]:
        """The name that people read of each skill."""
        return {skill.id: skill.name for skill in self.problem.skills}

    @cached_property
    def skills_met(self) -> defaultdict[str, set[str]]:
        """Skills of each student's adult-led sessions."""
        met: defaultdict[str, set[str]] = defaultdict(set)
        for session in self.led:
            for student in session.students:
                met[student].add(session.skill or "")
        return met

    @cached_property
    def led_seats(self) -> Counter[str]:
        """Number of adult-led seats of each student."""
        return Counter(student for session in self.led for student in session.students)


def score_plan(problem: Problem, sessions: tuple[Session, ...]) -> Score:
    """Returns a plan's points term by term, whether or not it keeps the hard rules."""
    return score_ledger(Ledger(problem, sessions))


def score_ledger(ledger: Ledger) -> Score:
    """Returns the points of a plan by its ledger."""
    terms = tuple(term(ledger) for term in TERMS)
    return Score(math.fsum(term.points for term in terms), terms)


def benefit(ledger: Ledger) -> Term:
    """Need met: the sum of need x effect x qualification x crowding over adult-led seats."""
    met = math.fsum(chain.from_iterable(ledger.benefits))
    seats = ledger.led_seats.total()
    return _gain(ledger, "benefit", met, f"{seats} seats with an adult meet {met:.2f} need points.")


def urgent(ledger: Ledger) -> Term:
    """Urgent needs: adult-led seats on an urgent need, each counted by how urgent it is."""
    needs = (ledger.needs.get((student, s.skill or "")) for s in ledger.led for student in s.students)
    met = [need.urgent for need in needs if need is not None and need.urgent]
    asked = sum(need.urgent > 0 for need in ledger.problem.needs)
    return _gain(ledger, "urgent", math.fsum(met), f"{len(met)} of {asked} urgent needs have a seat with an adult.")


def coverage(ledger: Ledger) -> Term:
    """Coverage floor: present students without any adult-led seat today."""
    present = [student.id for student in ledger.problem.students if student.blocks]
    missed = sum(not ledger.led_seats[student] for student in present)
    sentence = f"{missed} of {len(present)} present students have no seat with an adult."
    return _loss(ledger, "coverage", missed, sentence)


def adult_time_due(ledger: Ledger) -> Term:
    """Adult time due: present students who are due for time with an adult and have no adult-led seat today."""
    missed, due = sum(not ledger.led_seats[student] for student in ledger.adult_time_due), len(ledger.adult_time_due)
    return _loss(ledger, "adult_time_due", missed, _say_due(missed, due, "time with an adult"))


def relationships(ledger: Ledger) -> Term:
    """Relationship coverage: pairs of student and lead who meet, each worth 1 / (1 + meetings lately).

    An adult's own word to know the student counts as one meeting.
    """
    pairs = {(student, s.adults[0]) for s in ledger.led for student in s.students}
    worth = math.fsum(1 / (1 + ledger.meetings[pair] + (pair in ledger.known)) for pair in pairs)
    new = sum(not ledger.meetings[pair] and pair not in ledger.known for pair in pairs)
    sentence = f"{len(pairs)} pairs of student and adult meet, {new} of them for the first time lately."
    return _gain(ledger, "relationships", worth, sentence)


def repeat_groupmates(ledger: Ledger) -> Term:
    """Repeat groupmates: for each pair that shares an adult-led session, how often it did so lately."""
    before = ledger.groupmates
    pairs = (pair for s in ledger.led for pair in combinations(sorted(s.students), 2))
    repeats = sum(before.get(pair, 0) for pair in pairs) if before else 0
    return _loss(ledger, "repeat_groupmates", repeats, f"Students sit with recent groupmates again {repeats} times.")


def keep_together(ledger: Ledger) -> Term:
    """Keep together: pairs asked for that share at least one adult-led session."""
    asked = ledger.problem.keep_together
    kept = sum(any({*pair} <= set(s.students) for s in ledger.led) for pair in asked)
    return _gain(ledger, "keep_together", kept, f"{kept} of {len(asked)} pairs to keep together share a session.")


def perturbation(ledger: Ledger) -> Term:
    """Perturbation: earlier seats of students still present that differ in kind, skill or adult."""
    seats: dict[tuple[str, str], tuple[SessionType, str | None, str | None]] = {}
    for s in ledger.sessions if ledger.problem.previous else ():
        here = (s.session_type, s.skill, s.adults[0] if s.led else None)
        seats |= {(student, s.block): here for student in s.students}
    present = {student.id: student.blocks for student in ledger.problem.students}
    kept = [seat for seat in ledger.problem.previous if seat.block in present[seat.student]]
    changed = sum(
        seats.get((seat.student, seat.block)) != (seat.session_type, seat.skill, seat.adult if seat.led else None)
        for seat in kept
    )
    return _loss(ledger, "perturbation", changed, f"{changed} of {len(kept)} earlier seats change.")


def load(ledger: Ledger) -> Term:
    """Adult load: blocks by which adults' duties lie off an equal share of their time, days before included, summed."""
    duties = {(adult, session.block) for session in ledger.sessions for adult in session.adults}
    there = sum(len(adult.blocks) for adult in ledger.adults.values())
    rate = len(duties) / there if there else 0.0
    held = Counter(adult for adult, _ in duties)
    off = math.fsum(
        abs(held[adult.id] + adult.load_ahead - rate * len(adult.blocks)) for adult in ledger.adults.values()
    )
    return _loss(ledger, "load", off, f"Adults' duties lie {off:.1f} blocks off an even load, summed over adults.")


def share(ledger: Ledger) -> Term:
    """Proportional share: adult-led seats by which subgroups fall short of their share of students' blocks, summed."""
    blocks, seats = Counter[str](), Counter[str]()
    for student in ledger.problem.students:
        if student.subgroup is not None:
            blocks[student.subgroup] += len(student.blocks)
            seats[student.subgroup] += ledger.led_seats[student.id]
    rate = seats.total() / (blocks.total() or 1)
    short = math.fsum(max(0.0, rate * there - seats[group]) for group, there in blocks.items())
    sentence = f"Subgroups fall {short:.1f} adult-led seats short of their proportional share."
    return _loss(ledger, "share", short, sentence)


def group_time_due(ledger: Ledger) -> Term:
    """Group time due: present students who are due for a seat in a small group or tutoring and get none today."""
    grouped = {student for s in ledger.led if s.session_type in GROUPS for student in s.students}
    missed, due = len(ledger.group_time_due - grouped), len(ledger.group_time_due)
    return _loss(ledger, "group_time_due", missed, _say_due(missed, due, "a small group"))


def coaching(ledger: Ledger) -> Term:
    """Coaching: adult-led sessions that a coach and a trainee share, up to the number asked for each pair."""
    pairs = [pair for pair in ledger.problem.coaching if not pair.observes]
    asked = sum(pair.sessions for pair in pairs)
    held = sum(min(pair.sessions, sum({*pair.pair} <= {*session.adults} for session in ledger.led)) for pair in pairs)
    return _gain(ledger, "coaching", held, f"{held} of {asked} coached sessions asked for are held.")


def observations(ledger: Ledger) -> Term:
    """Observations: adult-led sessions that a coach joins to observe the lead, up to the number asked for each pair."""
    pairs = [pair for pair in ledger.problem.coaching if pair.observes]
    asked, roles = sum(pair.sessions for pair in pairs), [(s.adults[0], s.adults[1:]) for s in ledger.led]
    held = sum(min(pair.sessions, sum(pair.trainee == a and pair.coach in b for a, b in roles)) for pair in pairs)
    return _gain(ledger, "observations", held, f"{held} of {asked} observations asked for are possible.")


def wishes(ledger: Ledger) -> Term:
    """Wishes of students that are met: for another student in each session shared, for anything else once."""
    asked, held = ledger.problem.wishes, defaultdict[str, set[int]](set)
    for at, session in enumerate(ledger.led) if asked else ():
        for student in session.students:
            held[student].add(at)
    met = 0
    for wish in asked:
        mine = held[wish.student]
        if wish.other is not None:
            met += len(mine & held[wish.other])
        else:
            sessions = [ledger.led[at] for at in mine]
            met += any(wish.adult == s.adults[0] or wish.skill == s.skill or s.room in wish.rooms for s in sessions)
    return _gain(ledger, "wishes", met, f"{len(asked)} wishes of students are met {met} times.")


TERMS: tuple[Callable[[Ledger], Term], ...] = (
    benefit, urgent, coverage, adult_time_due, relationships, repeat_groupmates, keep_together, perturbation, load,
    share, group_time_due, coaching, observations, wishes,
)  # fmt: skip


def _gain(ledger: Ledger, name: str, value: float, sentence: str) -> Term:
    weight: float = getattr(ledger.problem.weights, name)
    return Term(name, float(value), weight, weight * value, sentence)


def _say_due(missed: int, due: int, what: str) -> str:
    return (
        f"{missed} of {due} students due for {what} get none."
        if missed
        else f"All {due} students due for {what} get it."
    )


def _loss(ledger: Ledger, name: str, value: float, sentence: str) -> Term:
    weight: float = getattr(ledger.problem.weights, name)
    return Term(name, float(value), weight, 0.0 - weight * value, sentence)
