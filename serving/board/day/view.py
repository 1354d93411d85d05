"""What the page of a day shows: blocks of cards, each a session with its students and why they sit there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from serving.board.words import SESSION_TYPES, Names, name_purpose, speak_plainly
from serving.grouping import Move, Seat, Session, SessionType, Term
from serving.plans.edits.edited_day import EditedDay
from serving.schemas.changes import TermOut
from serving.schemas.recommendations import RecommendationOut
from serving.schemas.sessions import SeatOut, SessionOut

BY_HAND = "Moved here by hand."

CHANGED = "The group was changed by hand; the student was in it before."

BY_PLAN = "Fits here by the plan of the day."

REACHED = ("urgent", "coverage", "adult_time_due", "group_time_due", "relationships")
"""Terms of the score whose sentences say what a day reaches."""


NOBODY = re.compile(r" of 0 |^All 0 ")
"""In sentences about nobody."""

FACT = re.compile(r"^(?:the )?(?:last|(\d+) of the last) (\d+) (wrong|right)$")
"""The fact that stands beside a name, where it is about the latest answers."""


@dataclass(frozen=True)
class SeatView:
    """One student in a session.

    Attributes:
        student_id: The student.
        name: What people call the student.
        address: The id as it stands in addresses.
        why: Why the student sits here.
        fact: The first piece of evidence from the answers; empty where there is none.
        facts: All of it in one sentence, likewise.
        moved: Whether a person moved the student here.
        news: Whether that was the last change.
    """

    student_id: str
    name: str
    address: str
    why: str
    fact: str
    facts: str
    moved: bool
    news: bool


@dataclass(frozen=True)
class Card:
    """One session.

    Attributes:
        session_id: Its id in the plan.
        title: The skill, or independent work.
        kind: The type of session, in words.
        purpose: What it is for; empty where nothing is known.
        adults: Names of its adults, the lead first.
        room: The room; null where the team plans none.
        room_id: Its id, likewise.
        why: Why it is held; null for a session that people made.
        teach: What to teach; null where nothing is known.
        aim: What the team wants of it, in its own words; null where nothing was written down.
        led: Whether an adult leads it.
        locked: Whether a new suggestion keeps it.
        seats: Its students.
    """

    session_id: str
    title: str
    kind: str
    purpose: str
    adults: Sequence[str]
    room: str | None
    room_id: str | None
    why: str | None
    teach: str | None
    aim: str | None
    led: bool
    locked: bool
    seats: Sequence[SeatView]


@dataclass(frozen=True)
class BlockView:
    """One block of the day.

    Attributes:
        block_id: Its id.
        address: The id as it stands in addresses.
        time: Its time by the school's clock.
        led: Sessions with an adult, in the same order of adults in every block.
        lane: Independent work.
        unseated: Students who are there and have no seat.
    """

    block_id: str
    address: str
    time: str
    led: Sequence[Card]
    lane: Sequence[Card]
    unseated: Sequence[SeatView]


def view_blocks(edited: EditedDay, names: Names, news: tuple[str, str] | None = None) -> list[BlockView]:
    """The blocks of a day.

    Args:
        edited: The day.
        names: Of its people.
        news: The student and block of the last change.
    """
    problem, answer = edited.day.problem, edited.day.answer
    suggested = {session.id: session for session in answer.sessions}
    order = {adult.id: at for at, adult in enumerate(sorted(problem.adults, key=lambda adult: (adult.role, adult.id)))}
    order = {adult: at for at, adult in enumerate(_order_adults(answer, order))}
    views = []
    for block in problem.blocks:
        sessions = [session for session in edited.sessions if session.block == block.id]
        cards = [
            _view_session(session, suggested.get(session.id), edited, names, news)
            for session in sorted(sessions, key=lambda each: order.get(each.adults[0], 99) if each.adults else 99)
        ]
        seated = {student for session in sessions for student in session.students}
        unseated = [
            SeatView(
                student.id,
                names.student(student.id),
                _quote(student.id),
                "Has no seat yet.",
                "",
                "",
                moved=False,
                news=False,
            )
            for student in problem.students
            if block.id in student.blocks and student.id not in seated
        ]
        led, lane = [card for card in cards if card.led], [card for card in cards if not card.led]
        views.append(BlockView(block.id, _quote(block.id), block.label, led, lane, _sort(unseated)))
    return views


def _order_adults(answer: RecommendationOut, known: Mapping[str, int]) -> list[str]:
    """Adults with those who lead most first, so that columns are stable over the blocks of a day."""
    led = [session.adults[0].staff_id for session in answer.sessions if session.skill_id is not None]
    return sorted(known, key=lambda adult: (-led.count(adult), known[adult]))


def _view_session(
    session: Session,
    before: SessionOut | None,
    edited: EditedDay,
    names: Names,
    news: tuple[str, str] | None,
) -> Card:
    skills = {skill.id: skill.name for skill in edited.day.problem.skills}
    suggested: Mapping[str, SeatOut] = {} if before is None else {seat.student_id: seat for seat in before.students}
    facts = suggested if before is not None and before.skill_id == session.skill else {}
    if before is not None and not _is_same(session, before):  # its reasons are true of what was suggested alone
        before = None
    seats = [
        SeatView(
            student,
            names.student(student),
            _quote(student),
            _say_why(suggested.get(student), before is not None, names),
            _shorten(facts[student].facts) if student in facts else "",
            "; ".join(facts[student].facts) if student in facts else "",
            moved=student not in suggested,
            news=news == (student, session.block),
        )
        for student in session.students
    ]
    return Card(
        session_id=session.id,
        title=skills.get(session.skill, session.skill) if session.skill is not None else "Independent work",
        kind=SESSION_TYPES[session.session_type],
        purpose=name_purpose(before.purpose) if before is not None else "",
        adults=[names.adult(adult) for adult in session.adults],
        room=before.room if before is not None and before.room_id == session.room else session.room,
        room_id=session.room,
        why=names.put_into(speak_plainly(before.why)) if before is not None and session.led else None,
        teach=before.teach.sentence if before is not None and before.teach is not None else None,
        led=session.led,
        aim=edited.aims.get(session.id),
        locked=session.id in edited.locked,
        seats=_sort(seats),
    )


def _shorten(facts: Sequence[str]) -> str:
    """The first fact, short enough to stand beside a name.

    Example:
        >>> _shorten(["3 of the last 5 wrong", "14 attempts on this skill"]), _shorten(["the last 5 right"])
        ('3 of 5 wrong', '5 of 5 right')
    """
    found = FACT.match(facts[0]) if facts else None
    return f"{found[1] or found[2]} of {found[2]} {found[3]}" if found else "".join(facts[:1])


def _quote(identity: str) -> str:
    return quote(identity, safe="")


def _say_why(seat: SeatOut | None, is_same: bool, names: Names) -> str:
    """Why a student sits in a session: the plan's reason where the session is as it was suggested."""
    if seat is None:
        return BY_HAND
    return (names.put_into(speak_plainly(seat.why)) or BY_PLAN) if is_same else CHANGED


def _is_same(session: Session, before: SessionOut) -> bool:
    """Whether a session is still on the skill and with the lead for which its reasons were given."""
    leads = session.adults[:1], tuple(adult.staff_id for adult in before.adults[:1])
    return session.skill == before.skill_id and (leads[0] == leads[1] or not session.led)


def _sort(seats: Sequence[SeatView]) -> list[SeatView]:
    return sorted(seats, key=lambda seat: seat.name.casefold())


def describe_move(move: Move, edited: EditedDay, names: Names) -> str:
    """One moved seat in words."""
    times = {block.id: block.label for block in edited.day.problem.blocks}
    before, after = (describe_seat(seat, edited, names) for seat in (move.before, move.after))
    return f"{names.student(move.student)} at {times[move.block]}: {before} → {after}"


def describe_violation(sentence: str, edited: EditedDay, names: Names) -> str:
    """A broken rule with names of people, sessions and skills in place of their ids."""
    sessions = {session.id: name_session(session, edited, names) for session in edited.sessions}
    skills = {skill.id: skill.name for skill in edited.day.problem.skills}
    for before, known in ((r"\b(?:[Ss]ession )?", sessions), (r"(?<=\bon )", skills)):
        for identity in sorted(known, key=len, reverse=True):
            found = re.compile(rf"{before}(?<![\w.-]){re.escape(identity)}(?![\w-])")
            sentence = found.sub(known[identity].replace("\\", r"\\"), sentence)
    for kind, words in SESSION_TYPES.items():
        sentence = sentence.replace(f"; {kind} takes ", f"; a {words} takes ")
    sentence = names.put_into(sentence)
    return f"I{sentence[1:]}" if sentence.startswith("independent work") else sentence


def describe_seat(seat: Seat | None, edited: EditedDay, names: Names) -> str:
    """A seat in words, such as `Fractions 2 with Ms B`."""
    if seat is None:
        return "no seat"
    if seat.session_type is SessionType.ONLINE:
        return "independent work"
    skills = {skill.id: skill.name for skill in edited.day.problem.skills}
    return f"{skills.get(seat.skill or '', seat.skill or '')} with {names.adult(seat.adult or '')}"


def name_session(session: Session, edited: EditedDay, names: Names) -> str:
    """A session in words, such as `Fractions 2 with Ms B` or `independent work in hall`."""
    if not session.led:
        return name_work(session, edited) if session.room is None else f"{name_work(session, edited)} in {session.room}"
    lead = f" with {names.adult(session.adults[0])}" if session.adults else ""
    return f"{name_work(session, edited)}{lead}"


def name_work(session: Session, edited: EditedDay) -> str:
    """What a session is about, in words."""
    skills = {skill.id: skill.name for skill in edited.day.problem.skills}
    return "independent work" if session.skill is None else skills.get(session.skill, session.skill)


def list_reached(terms: Iterable[Term | TermOut]) -> list[str]:
    """What a plan reaches, in sentences; without those about nothing."""
    return [term.sentence for term in terms if term.name in REACHED and not NOBODY.search(term.sentence)]


def list_without_adult(edited: EditedDay) -> list[str]:
    """Students who are there and have no seat with an adult, as the day is now."""
    seated = {student for session in edited.sessions if session.led for student in session.students}
    return [student.id for student in edited.day.problem.students if student.blocks and student.id not in seated]


def list_absent(edited: EditedDay, members: Sequence[str], staff: Sequence[str]) -> tuple[list[str], ...]:
    """Students and adults of the team who are in no block of the day, and students whom the plan does not know yet."""
    planned = {student.id: student.blocks for student in edited.day.problem.students}
    working = {adult.id for adult in edited.day.problem.adults if adult.blocks}
    return (
        [one for one in members if one in planned and not planned[one]],
        [one for one in staff if one not in working],
        [one for one in members if one not in planned],
    )
