"""The answer: sessions, what they score, why each student sits where, and what stayed unmet."""

import math
from dataclasses import dataclass
from typing import Literal

from serving.grouping.problem.people import Purpose
from serving.grouping.problem.policy import SessionType

# searched: the best plan found. seats_optimal: also no other seating of the same sessions scores higher, to within
# 0.01 %. optimal: no other plan scores higher.
Status = Literal["searched", "seats_optimal", "optimal"]

SOCIAL_TERMS = frozenset({"relationships", "repeat_groupmates", "load", "share", "wishes"})
"""Terms about meetings, wishes and busy adults, which may cost only a share of the need met; all others are need."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session of one block.

    Attributes:
        id: unique in the plan; readable, such as "b1-small_group-t1".
        skill: None online.
        adults: the lead first, then co-teachers; for online work, the adults who supervise it.
        room: None where the team does not plan rooms.
        students: ids in order.
    """

    id: str
    block: str
    session_type: SessionType
    skill: str | None
    adults: tuple[str, ...]
    room: str | None
    students: tuple[str, ...]

    @property
    def led(self) -> bool:
        """Whether it is adult-led, and so not online work."""
        return self.session_type is not SessionType.ONLINE


@dataclass(frozen=True, slots=True)
class Term:
    """One soft term of a plan's score.

    Attributes:
        value: the quantity in its own unit, which `sentence` names.
        weight: the points of one unit.
        points: what it adds to the total; negative where the term counts something to avoid.
    """

    name: str
    value: float
    weight: float
    points: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of all soft terms' points; higher is better, and only plans of one problem compare."""

    total: float
    terms: tuple[Term, ...]

    @property
    def need_points(self) -> float:
        """The sum of all terms but the social ones."""
        return sum(term.points for term in self.terms if term.name not in SOCIAL_TERMS)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A change of one or few sessions of a block that keeps every hard rule.

    Attributes:
        before: the sessions of the plan that it changes or ends.
        after: what is held in their place.
        need: need points that it gains: need met and urgent seats, by their weights; negative where it loses some.
    """

    before: tuple[Session, ...]
    after: tuple[Session, ...]
    need: float

    def apply(self, sessions: tuple[Session, ...]) -> tuple[Session, ...]:
        """Returns a plan's sessions after the change."""
        gone = {session.id for session in self.before}
        return (*(session for session in sessions if session.id not in gone), *self.after)


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a sentence, so that it can be checked without reading the sentence.

    Attributes:
        code: what is stated; `rules/explain.py` lists the codes.
        figures: every number that the sentence shows for it, by name; shares 0-1, need in need points.
        sessions: ids of the sessions that it is about.
        blocks: ids of the blocks that it is about; empty: those in which the student is there.
        exchange: the change whose outcome is stated; None where nothing is.
        skill: the needed skill that it is about; None where its sessions or its change tell.
    """

    code: str
    figures: tuple[tuple[str, float], ...] = ()
    sessions: tuple[str, ...] = ()
    exchange: Exchange | None = None
    blocks: tuple[str, ...] = ()
    skill: str | None = None


@dataclass(frozen=True, slots=True)
class SessionReason:
    """Why one session is held.

    Attributes:
        benefit: the need it meets, in need points.
        purpose: what it is for, for most of its students; None online, and where nobody says.
        claims: what the sentence states.
    """

    session: str
    benefit: float
    sentence: str
    purpose: Purpose | None = None
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class SeatReason:
    """Why one student sits in one session; online, all figures are None.

    Attributes:
        struggle_risk: 0-1; None where there is too little evidence for a forecast, as for `mastery`.
        benefit: need x effect x qualification.
        meetings: sessions of this student with the lead lately.
        purpose: what the session is for, for this student.
        claims: what the sentence states.
    """

    student: str
    session: str
    sentence: str
    need: float | None = None
    struggle_risk: float | None = None
    mastery: float | None = None
    readiness: float | None = None
    weight: float | None = None
    effect: float | None = None
    qualification: float | None = None
    benefit: float | None = None
    meetings: int | None = None
    purpose: Purpose | None = None
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmet:
    """A present student's greatest need where no session of today meets it.

    Attributes:
        skill: None, as `need`, for a student with no eligible skill at all.
        reason: a name to count by, such as "adults_busy".
        led_seats: how many adult-led seats the student has today on other skills.
        claims: what the sentence states.
    """

    student: str
    skill: str | None
    need: float | None
    reason: str
    led_seats: int
    sentence: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A day of sessions that keeps every hard rule, with its score and its reasons.

    Attributes:
        bound: a score that no plan of the problem exceeds.
        online_score: the score if everybody worked online all day, from which plans are measured.
        most_need_gain: the `need_gain` of the best plan found for need alone, of which social terms may cost the share
            `Problem.most_social_cost`.
        cut_by_clock: whether the time ran out, so that the same problem may get another plan on another machine.
    """

    sessions: tuple[Session, ...]
    score: Score
    status: Status
    session_reasons: tuple[SessionReason, ...]
    seat_reasons: tuple[SeatReason, ...]
    unmet: tuple[Unmet, ...]
    bound: float = math.inf
    online_score: float = 0.0
    most_need_gain: float = 0.0
    cut_by_clock: bool = False

    @property
    def need_gain(self) -> float:
        """What the plan adds to a day online in need points, which are those of all terms but the social ones."""
        return self.score.need_points - self.online_score

    @property
    def proven_share(self) -> float:
        """A lower bound on the plan's share of what the best plan adds to a day online; 0 where there is none.

        Example:
            >>> Plan((), Score(8.0, ()), "searched", (), (), (), bound=10.0).proven_share
            0.8
        """
        most = self.bound - self.online_score
        added = max(0.0, self.score.total - self.online_score)
        return added / most if 0 < most < math.inf else float(most <= 0)
