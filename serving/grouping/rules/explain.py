"""Explains in plain words why each session is held, why each student sits there, and which needs stay unmet."""

from collections import Counter
from collections.abc import Iterator

from serving.grouping.problem.people import Need, Purpose, Student
from serving.grouping.problem.plan import SeatReason, Session, SessionReason, Unmet
from serving.grouping.rules.objective import Ledger


def explain_sessions(ledger: Ledger) -> tuple[SessionReason, ...]:
    """Returns one reason per session, in its order."""
    labels = {block.id: block.label for block in ledger.problem.blocks}
    open_to = Counter(skill for skills in ledger.open_skills.values() for skill in skills)
    reasons, benefits = [], iter(ledger.benefits)
    for session in ledger.sessions:
        met = sum(next(benefits)) if session.led else 0.0
        purposes = _count_purposes(ledger, session)
        count = _count(len(session.students))
        if session.skill is None:
            supervise = f"{', '.join(session.adults)} {'supervises' if len(session.adults) == 1 else 'supervise'}"
            sentence = f"{count} work online in {labels[session.block]}; {supervise} them."
        else:
            skill, lead = ledger.skill_names[session.skill], session.adults[0]
            waiting = open_to[session.skill] - len(session.students)
            kind = f"{session.session_type.replace('_', ' ')}{_list_purposes(purposes)}"
            sentence = (
                f"{count} in need of {skill} with {lead} in {labels[session.block]} ({kind}); it meets {met:.2f} need "
                f"points. {_count(waiting)} more could use this skill."
            )
            for adult in session.adults[1:]:
                coaches = any((pair.coach, pair.trainee) == (adult, lead) for pair in ledger.problem.coaching)
                sentence += f" {adult} co-teaches to {'coach' if coaches else 'learn from'} {lead}."
        reasons.append(SessionReason(session.id, float(met), sentence, next(iter(purposes), None)))
    return tuple(reasons)


def _count_purposes(ledger: Ledger, session: Session) -> dict[Purpose, int]:
    """Returns for how many students the session serves each purpose, the most frequent first; empty online."""
    needs = (ledger.needs.get((student, session.skill or "")) for student in session.students if session.led)
    return dict(Counter(need.purpose for need in needs if need is not None and need.purpose is not None).most_common())


def _list_purposes(purposes: dict[Purpose, int]) -> str:
    """Returns the purposes to follow the session's type, with how many students each has where they differ."""
    counted = len(purposes) > 1
    return "".join(f", {purpose.words}{f' {count}' if counted else ''}" for purpose, count in purposes.items())


def explain_seats(ledger: Ledger) -> tuple[SeatReason, ...]:
    """Returns one reason per student and session, with the figures it rests on."""
    pinned = {(pin.student, pin.block) for pin in ledger.problem.pins}
    reasons: list[SeatReason] = []
    benefits = iter(ledger.benefits)
    for session in ledger.sessions:
        fixed = {student for student in session.students if (student, session.block) in pinned}
        if session.led:
            reasons += _explain_led(ledger, session, fixed, next(benefits))
            continue
        for student in session.students:
            why = "pinned to online work" if student in fixed else _why_online(ledger, session, student)
            reasons.append(SeatReason(student, session.id, f"Works online: {why}."))
    return tuple(reasons)


def _explain_led(
    ledger: Ledger, session: Session, pinned: set[str], benefits: tuple[float, ...]
) -> Iterator[SeatReason]:
    skill, lead = session.skill or "", session.adults[0]
    name, adult, quality = ledger.skill_names[skill], ledger.adults[lead], ledger.qualification(lead, skill)
    teacher_time_due = ledger.teacher_time_due if adult.supervisor else set()
    for student, benefit in zip(session.students, benefits, strict=True):
        need = ledger.needs.get((student, skill))
        if need is None:
            yield SeatReason(student, session.id, f"{name} is not among the student's needs.")
            continue
        meetings = ledger.meetings.get((student, lead), 0)
        parts = [f"{_purpose(ledger, need)}{_evidence(need)} in {name}", f"need {need.need:.2f}"]
        if student in pinned:
            parts.append("the place is pinned")
        if student in teacher_time_due:
            parts.append("is due for teacher time")
        often = {0: f"has not met {lead} lately", 1: f"met {lead} once lately"}
        parts.append(often.get(meetings, f"met {lead} {meetings} times lately"))
        sentence = "; ".join(parts)
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
            qualification=quality,
            benefit=benefit,
            meetings=meetings,
            purpose=need.purpose,
        )


def _purpose(ledger: Ledger, need: Need) -> str:
    """Returns what the session is for, and which skill waits for it, to precede the evidence; empty where unknown."""
    if need.purpose is None:
        return ""
    waiting = "" if need.because_of is None else f", because {ledger.skill_names[need.because_of]} builds on it"
    return f"{need.purpose.words}{waiting}: "


def _evidence(need: Need) -> str:
    if need.struggle_risk is None:
        return "no forecast yet"
    risk = f"struggle risk {need.struggle_risk:.0%}"
    return risk if need.mastery is None else f"{risk}, mastery {need.mastery:.0%}"


def _why_online(ledger: Ledger, session: Session, student: str) -> str:
    listed = ledger.open_skills.get(student)
    if not listed:
        return "no skill is listed as a need"
    held = ledger.skills_held[session.block] & listed
    if not held:
        return "no session of this block is on a skill the student needs"
    if held <= ledger.skills_met[student]:
        return "the fitting skills of this block are on the student's day at another time"
    return "places in the fitting sessions went to others"


def explain_unmet(ledger: Ledger) -> tuple[Unmet, ...]:
    """Returns each present student's greatest need, where no session of today is on it for the student."""
    greatest: dict[str, Need] = {}
    for need in ledger.problem.needs:
        if need.student not in greatest or need.need > greatest[need.student].need:
            greatest[need.student] = need
    unmet = []
    for student in ledger.problem.students:
        top = greatest.get(student.id)
        if not student.blocks or (top is not None and top.skill in ledger.skills_met[student.id]):
            continue
        seats = ledger.led_seats[student.id]
        if top is None:
            sentence = "No skill is listed as a need, so no adult-led session is open to the student."
            unmet.append(Unmet(student.id, None, None, "no_need", seats, sentence))
        else:
            reason, why = _why_unmet(ledger, student, top)
            purpose = "" if top.purpose is None else f"{top.purpose.words}, "
            sentence = f"{ledger.skill_names[top.skill]} ({purpose}need {top.need:.2f}) waits: {why}."
            unmet.append(Unmet(student.id, top.skill, top.need, reason, seats, sentence))
    return tuple(unmet)


def _why_unmet(ledger: Ledger, student: Student, need: Need) -> tuple[str, str]:
    excluded = {adult for pupil, adult in ledger.problem.adult_exclusions if pupil == student.id}
    able = [
        adult
        for adult in ledger.adults.values()
        if student.blocks & adult.blocks
        and ledger.qualification(adult.id, need.skill)
        and (adult.certified or not student.needs_certified)
        and adult.id not in excluded
    ]
    if not able:
        return "no_adult", "no adult who may teach it to the student is there"
    held = [s for s in ledger.led if s.skill == need.skill and s.block in student.blocks]
    if not held:
        return "adults_busy", "adults' time today went to other sessions, with which the day scores higher"
    apart = {other for pair in ledger.problem.keep_apart if student.id in pair for other in pair} - {student.id}
    if all(apart & set(s.students) for s in held):
        return "kept_apart", "its session has a student with whom this one must not be grouped"
    if all(any(student.id in o.students for o in ledger.led if o.block == s.block) for s in held):
        return "other_session", "the student is in another adult-led session at that time"
    return "places_taken", "its places went to students with whom the day scores higher"


def _count(students: int) -> str:
    return "1 student" if students == 1 else f"{students} students"
