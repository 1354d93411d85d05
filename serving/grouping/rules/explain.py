"""Explains in plain words why each session is held, why each student sits there, and which needs stay unmet.

Every sentence is put together of claims, so that it can be checked: `Claim.code` is one of `CODES`. Why something is
not so is said by what one change of the plan would do: the one of `rules/exchange.py` that gains most.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from serving.grouping.problem.people import Need, Purpose, Student
from serving.grouping.problem.plan import Claim, Exchange, SeatReason, Session, SessionReason, Unmet
from serving.grouping.problem.policy import GROUPS
from serving.grouping.rules.exchange import Exchanges
from serving.grouping.rules.objective import Ledger
from serving.grouping.rules.score_impact import LEAST, SHOWN

CODES = {
    "students": "so many students work there",
    "meets_need": "the session meets so much need",
    "waiting": "so many students who are there need the same and have no session on it today",
    "coaching": "the lead and the co-teacher are a coach and the one who is coached or observed",
    "forecast": "the student's struggle risk, and mastery, are these; without figures there is no forecast",
    "need": "the student's need is this",
    "greatest_need": "no other need of the student is more urgent or, as urgent, greater",
    "fixed": "the place is a fixed assignment",
    "group_time_due": "the student is due for a small group or tutoring, and the session is one",
    "only_adult_time": "it is the student's only adult-led session of the day",
    "meetings": "the student met the lead so often lately",
    "no_need": "no skill is listed as a need of the student",
    "met_elsewhere": "all needs of the student have a session at another time of the day",
    "no_adult": "no adult who may teach the student the skill is there with the student",
    "not_taught": "no session in the student's blocks is on the skill for what the student needs it for",
    "seats_taken": "all those sessions are full, and all students there are at a higher risk or need than the student",
    "kept_apart": "each of those sessions has a student with whom this one must not be grouped",
    "may_not_lead": "the lead of each of those sessions must not lead the student, or needs a certificate for it",
    "busy_then": "the student has another adult-led session whenever one on the skill is held",
    "no_change": "no change of one session that keeps the rules seats the student on the skill",
    "not_looked_at": "the clock ended before changes were looked for",
    "online_full": "every session that could be held on the skill leaves more online than may be supervised there",
    "loses_need": "the change meets so much need and so many urgent needs more or fewer, in points less",
    "given_up": "the change meets so much need and so many urgent needs more or fewer, in points more, and scores less",
    "no_gain": "the change meets no more need, and scores no more in all",
    "overlooked": "the change scores more in all; the search did not find it",
}
"""What each code states."""


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a sentence, and the claims it makes."""

    words: str
    claims: tuple[Claim, ...] = ()


def explain_sessions(ledger: Ledger, exchanges: Exchanges | None = None) -> tuple[SessionReason, ...]:
    """Returns one reason per session, in its order."""
    writer = _Writer(ledger, exchanges or Exchanges(ledger))
    return tuple(writer.explain_session(session) for session in ledger.sessions)


def explain_seats(ledger: Ledger, exchanges: Exchanges | None = None) -> tuple[SeatReason, ...]:
    """Returns one reason per student and session, with the figures it rests on."""
    writer = _Writer(ledger, exchanges or Exchanges(ledger))
    reasons: list[SeatReason] = []
    benefits = iter(ledger.benefits)
    for session in ledger.sessions:
        if session.led:
            reasons += writer.explain_led(session, next(benefits))
        else:
            reasons += (writer.explain_online(session, student) for student in session.students)
    return tuple(reasons)


def explain_unmet(ledger: Ledger, exchanges: Exchanges | None = None) -> tuple[Unmet, ...]:
    """Returns each present student's greatest need, where no session of today is on it for the student.

    The greatest needs come first, those of students without any last.
    """
    writer = _Writer(ledger, exchanges or Exchanges(ledger))
    unmet = (writer.explain_unmet(student) for student in ledger.problem.students if student.blocks)
    return tuple(sorted(filter(None, unmet), key=lambda unmet: -(unmet.need or 0.0)))


class _Writer:
    """Writes the sentences of one plan."""

    def __init__(self, ledger: Ledger, exchanges: Exchanges) -> None:
        self.ledger = ledger
        self.exchanges = exchanges
        self.labels = {block.id: block.label for block in ledger.problem.blocks}
        self.listed: dict[str, list[Need]] = {}
        for need in ledger.problem.needs:
            self.listed.setdefault(need.student, []).append(need)
        for needs in self.listed.values():
            needs.sort(key=lambda need: (-need.urgent, -need.need, need.skill))

    def explain_session(self, session: Session) -> SessionReason:
        """Returns why a session is held."""
        count, label = len(session.students), self.labels[session.block]
        claims = [Claim("students", (("students", float(count)),), (session.id,))]
        if session.skill is None:
            supervise = f"{_join(session.adults)} {'supervises' if len(session.adults) == 1 else 'supervise'}"
            sentence = f"{_count(count)} {'works' if count == 1 else 'work'} online in {label}; {supervise} them."
            return SessionReason(session.id, 0.0, sentence, None, tuple(claims))
        skill, lead = self.ledger.skill_names[session.skill], session.adults[0]
        met = sum(self.ledger.benefit(session, student) for student in session.students)
        urgent = sum(self.ledger.needs[student, session.skill].urgent > 0 for student in session.students)
        pressing = f" and {urgent} urgent need{'s' if urgent > 1 else ''}" if urgent else ""
        purposes = self._count_purposes(session)
        kind = f"{_words(session.session_type)}{_list_purposes(purposes)}"
        parts = [f"{_count(count)} in need of {skill} with {lead} in {label} ({kind});"]
        parts.append(f"it meets {met:.2f} need points{pressing}.")
        claims.append(Claim("meets_need", (("need", met), ("urgent", float(urgent))), (session.id,)))
        claims += (Claim("students", ((str(purpose), float(n)),), (session.id,)) for purpose, n in purposes.items())
        waiting = self._count_waiting(session)
        if waiting:
            need, get = ("needs", "gets") if waiting == 1 else ("need", "get")
            parts.append(f"{waiting} more there then {need} it and {get} no session on it today.")
            claims.append(Claim("waiting", (("students", float(waiting)),), (session.id,)))
        other = None if self.exchanges.late else self.exchanges.find_other_use(session)
        if other is not None:
            held = next(s for s in other.after if s.id == session.id)
            outcome = self._say_outcome(other)
            aim = f", {self.exchanges.aim_of(held)}," if held.skill == session.skill else ""
            group = f"{self.ledger.skill_names[held.skill or '']}{aim} for {_count(len(held.students))}"
            parts.append(f"With {group} instead, {lead} {outcome.words}.")
            claims += (Claim("students", (("students", float(len(held.students))),), (), other), *outcome.claims)
        for adult in session.adults[1:]:
            pairs = [p for p in self.ledger.problem.coaching if (p.coach, p.trainee) == (adult, lead)]
            why = "observe" if any(p.observes for p in pairs) else "coach" if pairs else "learn from"
            parts.append(f"{adult} co-teaches to {why} {lead}.")
            claims.append(Claim("coaching", (), (session.id,)))
        return SessionReason(session.id, float(met), " ".join(parts), next(iter(purposes), None), tuple(claims))

    def explain_led(self, session: Session, benefits: Sequence[float]) -> Iterator[SeatReason]:
        """Yields why each student sits in an adult-led session."""
        ledger, skill, lead = self.ledger, session.skill or "", session.adults[0]
        name, adult = ledger.skill_names[skill], ledger.adults[lead]
        for student, benefit in zip(session.students, benefits, strict=True):
            need = ledger.needs.get((student, skill))
            if need is None:
                yield SeatReason(student, session.id, f"{name} is not among the student's needs.")
                continue
            meetings = ledger.meetings.get((student, lead), 0)
            parts = list(self._list_led_parts(session, need, lead, meetings))
            sentence = "; ".join(part.words for part in parts)
            yield SeatReason(
                student=student,
                session=session.id,
                sentence=f"{sentence[0].upper()}{sentence[1:]}.",
                need=need.need,
                struggle_risk=need.struggle_risk,
                mastery=need.mastery,
                readiness=need.readiness,
                weight=need.weight,
                effect=ledger.effect(session.session_type, adult.role, low_evidence=need.low_evidence),
                qualification=ledger.qualification(lead, skill),
                benefit=benefit,
                meetings=meetings,
                purpose=need.purpose,
                claims=tuple(claim for part in parts for claim in part.claims),
            )

    def explain_online(self, session: Session, student: str) -> SeatReason:
        """Returns why a student works online in a block."""
        said = self._say_online(session.block, student)
        return SeatReason(student, session.id, f"Works online: {said.words}.", claims=said.claims)

    def explain_unmet(self, student: Student) -> Unmet | None:
        """Returns why a present student's greatest need is not met; None where it is."""
        seats = self.ledger.led_seats[student.id]
        if student.id not in self.listed:
            sentence = "No skill is listed as a need, so no adult-led session is open to the student."
            return Unmet(student.id, None, None, "no_need", seats, sentence, (Claim("no_need"),))
        top = self.listed[student.id][0]
        if top.skill in self.ledger.skills_met[student.id]:
            return None
        reason, said = self._say_unmet(student, top)
        purpose = "" if top.purpose is None else f"{top.purpose.words}, "
        sentence = f"{self.ledger.skill_names[top.skill]} ({purpose}need {top.need:.2f}) waits: {said.words}."
        claims = (Claim("greatest_need"), Claim("need", (("need", top.need),)), *said.claims)
        return Unmet(student.id, top.skill, top.need, reason, seats, sentence, claims)

    def _list_led_parts(self, session: Session, need: Need, lead: str, meetings: int) -> Iterator[Said]:
        ledger, student = self.ledger, need.student
        forecast = _say_forecast(need)
        yield Said(f"{self._say_purpose(need)}{forecast.words} in {ledger.skill_names[need.skill]}", forecast.claims)
        yield Said(f"need {need.need:.2f}", (Claim("need", (("need", need.need),)),))
        if self.listed[student][0] == need and len(self.listed[student]) > 1:
            yield Said("the student's greatest need", (Claim("greatest_need"),))
        if (student, session.block) in self.exchanges.pinned:
            yield Said("the place is pinned", (Claim("fixed"),))
        if student in ledger.group_time_due and session.session_type in GROUPS:
            yield Said("is due for a small group", (Claim("group_time_due"),))
        if ledger.led_seats[student] == 1:
            yield Said("the only session with an adult today", (Claim("only_adult_time"),))
        often = {0: f"has not met {lead} lately", 1: f"met {lead} once lately"}
        figures = (("meetings", float(meetings)),)
        yield Said(often.get(meetings, f"met {lead} {meetings} times lately"), (Claim("meetings", figures),))

    def _say_purpose(self, need: Need) -> str:
        """Returns what the session is for and which skill waits for it, before the evidence; empty where unknown."""
        if need.purpose is None:
            return ""
        waiting = (
            "" if need.because_of is None else f", because {self.ledger.skill_names[need.because_of]} builds on it"
        )
        return f"{need.purpose.words}{waiting}: "

    def _say_online(self, block: str, student: str) -> Said:
        if (student, block) in self.exchanges.pinned:
            return Said("the place is pinned to online work", (Claim("fixed"),))
        if student not in self.listed:
            return Said("no skill is listed as a need", (Claim("no_need"),))
        left = [need for need in self.listed[student] if need.skill not in self.ledger.skills_met[student]]
        if not left:
            return Said("all that the student needs has a session at another time today", (Claim("met_elsewhere"),))
        here = next(((need, held) for need in left if (held := self._list_sessions(need, {block}))), None)
        need = left[0] if here is None else here[0]
        name = self.ledger.skill_names[need.skill]
        if here is not None:
            said = self._say_seats(*here) or self._say_exchange(need, [block])
            return Said(f"the student needs {name}, but {said.words}", said.claims)
        purpose = "" if need.purpose is None else f" ({need.purpose.words})"
        untaught = Claim("not_taught", blocks=(block,))
        taught = self._say_exchange(need, [block])
        return Said(f"nothing that the student still needs is taught then; for {name}{purpose}, {taught.words}",
                    (untaught, *taught.claims))  # fmt: skip

    def _say_unmet(self, student: Student, need: Need) -> tuple[str, Said]:
        """Returns the code of the reason, and the reason."""
        if not self.exchanges.teachers_of(student.id, need.skill):
            words = "no adult who may teach it to the student is there with the student"
            return "no_adult", Said(words, (Claim("no_adult"),))
        blocks = [block.id for block in self.ledger.problem.blocks if block.id in student.blocks]
        held = self._list_sessions(need, student.blocks)
        if not held:
            said = self._say_exchange(need, blocks)
            words = f"no session {self._name_topic(need)} is held while the student is there; {said.words}"
            code = said.claims[-1].code
            return "overlooked" if code == "overlooked" else "adults_busy", Said(
                words, (Claim("not_taught"), *said.claims)
            )
        barred = self._say_seats(need, held)
        if barred is not None:
            return _UNMET_CODES[barred.claims[0].code], barred
        said = self._say_exchange(need, blocks)
        others = [self.exchanges.seats.get((student.id, session.block)) for session in held]
        if all(other is not None and other.led for other in others):
            names = {self.ledger.skill_names[other.skill or ""] for other in others if other is not None}
            when = "at the only time" if len({session.block for session in held}) == 1 else "whenever"
            words = f"is in the session on {_join(sorted(names))} {when} it is taught; {said.words}"
            return "other_session", Said(words, (Claim("busy_then"), *said.claims))
        return _UNMET_CODES.get(said.claims[-1].code, "places_taken"), said

    def _name_topic(self, need: Need) -> str:
        """Returns what sessions on a need would do, told from those with another aim where there are any."""
        others = any(session.skill == need.skill for session in self.ledger.led)
        return f"to {need.aim} it" if others else "on it"

    def _list_sessions(self, need: Need, blocks: Collection[str]) -> list[Session]:
        there, held = self.exchanges.present[need.student], self.exchanges.by_topic.get((need.skill, need.aim), ())
        return [session for session in held if session.block in blocks and session.block in there]

    def _say_seats(self, need: Need, held: Sequence[Session]) -> Said | None:
        """Returns why none of the sessions held can take the student, where one reason holds for all of them."""
        exchanges, student = self.exchanges, need.student
        ids = tuple(session.id for session in held)
        several = len(held) > 1
        if all(exchanges.apart[student] & set(session.students) for session in held):
            which = "each of its sessions" if several else "its session"
            words = f"{which} has a student with whom this one must not be grouped"
            return Said(words, (Claim("kept_apart", (), ids),))
        leads = [exchanges.ledger.adults[session.adults[0]] for session in held]
        if not any(exchanges.teaches(lead, student, need.skill) for lead in leads):
            who = "the adults who teach it" if several else f"{leads[0].id}, who teaches it,"
            words = f"{who} may not lead the student"
            return Said(words, (Claim("may_not_lead", (), ids),))
        there = [s for session in held for s in session.students]
        level = self._level(there, need.skill, need)
        if level is None or not all(exchanges.is_full(session) for session in held):
            return None
        of_whom = f"the session with {held[0].adults[0]} in {self.labels[held[0].block]}"
        if several:
            each = "; ".join(f"{session.adults[0]}, {self.labels[session.block]}" for session in held)
            of_whom = f"its {len(held)} sessions ({each})"
        claims = (Claim("seats_taken", (*level.claims[0].figures, ("sessions", float(len(held)))), ids),)
        return Said(f"the seats in {of_whom} went to students at {level.words}", claims)

    def _level(self, students: Sequence[str], skill: str, own: Need) -> Said | None:
        """Returns how much greater the risk or the need of all students on a skill is; None where it is not."""
        needs = [self.ledger.needs[student, skill] for student in students]
        if own.struggle_risk is not None and all(need.struggle_risk is not None for need in needs):
            least, most = _range(need.struggle_risk or 0.0 for need in needs)
            if round(least, 2) > round(own.struggle_risk, 2):
                figures = (("risk_least", least), ("risk_most", most), ("risk", own.struggle_risk))
                words = f"higher risk ({_percent(least, most)}, the student {own.struggle_risk:.0%})"
                return Said(words, (Claim("level", figures),))
        least, most = _range(need.need for need in needs)
        if round(least, 2) > round(own.need, 2):
            figures = (("need_least", least), ("need_most", most), ("need", own.need))
            return Said(
                f"greater need ({_points(least, most)}, the student {own.need:.2f})", (Claim("level", figures),)
            )
        return None

    def _say_exchange(self, need: Need, blocks: Sequence[str]) -> Said:
        """Returns what the best change would do that seats the student in one of the blocks."""
        if self.exchanges.late:
            return Said("what else could be done was not looked at within the time limit", (Claim("not_looked_at"),))
        exchange = self.exchanges.find(need.student, need.skill, blocks)
        if exchange is None:
            when = "then" if len(blocks) == 1 else "at any time"
            if self.exchanges.is_online_full(need.student, need.skill, blocks):
                words = f"a session on it {when} would leave more students online than the adults there may supervise"
                return Said(words, (Claim("online_full", blocks=tuple(blocks), skill=need.skill),))
            words = f"no single change {when} makes a seat on it without breaking a rule"
            return Said(words, (Claim("no_change", blocks=tuple(blocks), skill=need.skill),))
        outcome = self._say_outcome(exchange)
        told = self._say_change(exchange, need)
        return Said(f"{told.words} {outcome.words}", (*told.claims, *outcome.claims))

    def _say_change(self, exchange: Exchange, need: Need) -> Said:
        """Returns the subject of a sentence: the change itself."""
        old = {session.id: session for session in exchange.before}
        held = next(s for s in exchange.after if need.student in s.students)
        label, lead = self.labels[held.block], held.adults[0]
        before = old.get(held.id)
        if before is None:
            claim = Claim("students", (("students", float(len(held.students))),), (), exchange)
            return Said(f"a session for {_count(len(held.students))} with {lead} in {label}", (claim,))
        if before.skill != held.skill or need.aim != self.exchanges.topics[before.id][1]:
            needs = [self.ledger.needs[student, before.skill or ""] for student in before.students]
            level = _say_level(needs)
            figures = (("students", float(len(before.students))), *level.claims[0].figures)
            aim = f" ({self.exchanges.topics[before.id][1]})" if before.skill == need.skill else ""
            ended = f"{self.ledger.skill_names[before.skill or '']}{aim}"
            words = (
                f"a session with {lead} in {label} would end that on {ended}, "
                f"which serves {_count(len(before.students))} at {level.words}, and"
            )
            return Said(words, (Claim("students", figures, (before.id,), exchange),))
        gone = [student for student in before.students if student not in held.students]
        if not gone:
            figures = (("students", float(len(before.students))),)
            words = f"a further seat with {lead} in {label}, beside {len(before.students)},"
            return Said(words, (Claim("students", figures, (before.id,), exchange),))
        level = _say_level([self.ledger.needs[gone[0], need.skill]])
        claim = Claim("students", level.claims[0].figures, (before.id,), exchange)
        return Said(f"the seat with {lead} in {label} of a student at {level.words}", (claim,))

    def _say_outcome(self, exchange: Exchange) -> Said:
        """Returns what a change would do to the need that is met and to the score, to follow its subject."""
        met, urgent, count = self.exchanges.split_need(exchange)
        figures = [("need", met), ("urgent", urgent), ("urgent_needs", float(count))]
        parts = []
        if abs(met) >= SHOWN:
            parts.append(f"meet {abs(met):.2f} {'more' if met > 0 else 'less'} need")
        if abs(urgent) >= SHOWN:
            what = f"what is {'more' if urgent > 0 else 'less'} urgent"
            if count * urgent > 0:
                what = f"{abs(count)} {'more' if urgent > 0 else 'fewer'} urgent need{'s' if abs(count) > 1 else ''}"
            parts.append(what if parts else f"meet {what}")
        words = f"would {(' but ' if met * urgent < 0 else ' and ').join(parts) or 'meet no more need'}"
        if exchange.need <= -SHOWN:
            return Said(words, (Claim("loses_need", tuple(figures), (), exchange),))
        impact = self.exchanges.measure(exchange)
        lost = [term for term in impact.terms if term.points < -LEAST and term.name not in {"benefit", "urgent"}]
        if impact.points < -LEAST and lost:
            worst = min(lost, key=lambda term: (term.points, term.name))
            figures += [("points", worst.points), ("value", worst.value)]
            if exchange.need >= SHOWN:
                words = f"{words}, and was given up for its cost: {worst.sentence}"
                return Said(words, (Claim("given_up", tuple(figures), (), exchange),))
            return Said(f"{words}, and cost {worst.sentence}", (Claim("no_gain", tuple(figures), (), exchange),))
        if impact.points > LEAST:
            words = f"{words} and score {impact.points:.2f} more, which the search did not find"
            return Said(words, (Claim("overlooked", (*figures, ("points", impact.points)), (), exchange),))
        return Said(words, (Claim("no_gain", tuple(figures), (), exchange),))

    def _count_waiting(self, session: Session) -> int:
        """Returns how many who are there in the block need the same, and have no session on it today."""
        waiting = self.exchanges.waiting(self.exchanges.topics[session.id])
        return sum(session.block in self.exchanges.present[student] for student in waiting)

    def _count_purposes(self, session: Session) -> dict[Purpose, int]:
        """Returns for how many students the session serves each purpose, the most frequent first."""
        needs = (self.ledger.needs.get((student, session.skill or "")) for student in session.students)
        purposes = (need.purpose for need in needs if need is not None and need.purpose is not None)
        return dict(Counter(purposes).most_common())


_UNMET_CODES = {
    "kept_apart": "kept_apart",
    "may_not_lead": "no_adult",
    "seats_taken": "places_taken",
    "given_up": "given_up",
    "overlooked": "overlooked",
    "no_change": "no_place",
    "online_full": "no_place",
}
"""The reason of an unmet need, by the claim that it rests on."""


def _say_forecast(need: Need) -> Said:
    if need.struggle_risk is None:
        return Said("no forecast yet", (Claim("forecast"),))
    risk = f"struggle risk {need.struggle_risk:.0%}"
    figures = [("struggle_risk", need.struggle_risk)]
    if need.mastery is not None:
        risk, figures = f"{risk}, mastery {need.mastery:.0%}", [*figures, ("mastery", need.mastery)]
    return Said(risk, (Claim("forecast", tuple(figures)),))


def _say_level(needs: Sequence[Need]) -> Said:
    """Returns the range of risks of some students, or of their needs where one has no forecast."""
    risks = [need.struggle_risk for need in needs if need.struggle_risk is not None]
    if len(risks) == len(needs):
        least, most = _range(risks)
        return Said(f"{_percent(least, most)} risk", (Claim("level", (("risk_least", least), ("risk_most", most))),))
    least, most = _range(need.need for need in needs)
    return Said(f"a need of {_points(least, most)}", (Claim("level", (("need_least", least), ("need_most", most))),))


def _range(values: Iterable[float]) -> tuple[float, float]:
    found = list(values)
    return min(found), max(found)


def _percent(least: float, most: float) -> str:
    return f"{least:.0%}" if f"{least:.0%}" == f"{most:.0%}" else f"{least:.0%} to {most:.0%}"


def _points(least: float, most: float) -> str:
    return f"{least:.2f}" if f"{least:.2f}" == f"{most:.2f}" else f"{least:.2f} to {most:.2f}"


def _list_purposes(purposes: dict[Purpose, int]) -> str:
    """Returns the purposes to follow the session's type, with how many students each has where they differ."""
    counted = len(purposes) > 1
    return "".join(f", {purpose.words}{f' {count}' if counted else ''}" for purpose, count in purposes.items())


def _words(name: str) -> str:
    return name.replace("_", " ")


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(students: int) -> str:
    return "1 student" if students == 1 else f"{students} students"
