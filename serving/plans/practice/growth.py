"""Growth of adults: stages with dates, of which the coach signs the next one; plans keep them as a hard rule."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from features.roster import Staff, Team
from features.roster.tables import count_change
from serving.access.caller import Caller, Scope
from serving.access.visibility import find_roster, may_see_team, unknown_team
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError, ForbiddenError, RequestError
from serving.plans.recommend import Planner
from serving.schemas.people.growth import GrowthRequest, StageSignature
from serving.store.practice.growth import Stage, Timeline, find_stage, keep_timeline, read_timelines

Note = Callable[[str], AuditEntry]
"""Gives, for the adult, the audit entry that is stored with a change."""


@dataclass(frozen=True)
class Served:
    """A stage of an adult, and what the adult led in it.

    Attributes:
        stage: The stage.
        held_from: The first day on which plans keep it; null while it does not hold.
        days_late: Days since the planned first day without a signature.
        sessions_led: Sessions on record that the adult led in it.
        largest_group: Most students of one of them; 0 without any.
    """

    stage: Stage
    held_from: date | None
    days_late: int
    sessions_led: int
    largest_group: int


@dataclass(frozen=True)
class Growth:
    """The timeline of an adult on a day.

    Attributes:
        adult: The adult.
        stages: Its stages; empty without a timeline.
        now: Which of them holds; null without a timeline.
    """

    adult: Staff
    stages: tuple[Served, ...]
    now: int | None

    @property
    def next(self) -> Stage | None:
        """The stage that is to be signed next; null where none is left."""
        unsigned = (each.stage for each in self.stages[1:] if each.stage.signed_on is None)
        return next(unsigned, None)


def may_sign(caller: Caller, adult: Staff) -> bool:
    """Whether a caller may write and sign an adult's timeline: the coach, with a key of their own, or the leader."""
    return Scope.SIGN in caller.scopes or (adult.coach is not None and caller.staff_id == adult.coach)


def read_growth(planner: Planner, team: Team, day: date) -> list[Growth]:
    """The growth of every adult of a team, by a day, in order of their ids."""
    with planner.database.reading() as connection:
        timelines = read_timelines(connection, team.team_id)
    return [_view(team, adult, timelines.get(adult.staff_id, ()), day) for adult in team.staff]


def plan_growth(planner: Planner, caller: Caller, team_id: str, body: GrowthRequest, note: Note) -> Growth:
    """Stores an adult's timeline in place of an earlier one, in which signed stages stay signed.

    Args:
        planner: With the database and the rosters.
        caller: Who sends it.
        team_id: The team.
        body: The timeline.
        note: Gives the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no such team, or none that the caller may know of.
        RequestError: The team has no such adult.
        ForbiddenError: The caller is neither the coach nor the team's leader.
    """

    def change(before: Timeline, today: date) -> Timeline:
        del today
        signed = {stage.name: stage for stage in before if stage.signed_on is not None}
        new = []
        for stage in body.stages:
            known = signed.get((stage.stage, stage.most))
            signature = (None, None) if known is None else (known.signed_on, known.signed_by)
            new.append(Stage(stage.stage, stage.most, stage.from_date, *signature, caller.key_id))
        return tuple(new)

    return _change(planner, caller, team_id, body.staff_id, note, change)


def sign_stage(planner: Planner, caller: Caller, team_id: str, body: StageSignature, note: Note) -> Growth:
    """Signs the next stage of an adult, which then holds from its planned day on, or from today where that has passed.

    One that was signed before stays as it is.

    Args:
        planner: With the database and the rosters.
        caller: Who signs.
        team_id: The team.
        body: The stage.
        note: Gives the audit entry that is stored with it.

    Raises:
        NotFoundError: There is no such team, or none that the caller may know of.
        RequestError: The team has no such adult.
        ForbiddenError: The caller is neither the coach nor the team's leader.
        ConflictError: It is not the next stage of the adult.
    """

    def change(before: Timeline, today: date) -> Timeline:
        names = [stage.name for stage in before]
        at = names.index((body.stage, body.most)) if (body.stage, body.most) in names else None
        if at is None or any(stage.signed_on is None for stage in before[1:at]):
            raise ConflictError("not_next", "stage: it is not the next one of this adult's timeline; read it again")
        if at == 0 or before[at].signed_on is not None:
            return before
        old = before[at]
        new = Stage(old.stage, old.most, old.from_date, today, caller.staff_id, caller.key_id)
        return (*before[:at], new, *before[at + 1 :])

    return _change(planner, caller, team_id, body.staff_id, note, change)


def _change(
    planner: Planner,
    caller: Caller,
    team_id: str,
    staff_id: str,
    note: Note,
    change: Callable[[Timeline, date], Timeline],
) -> Growth:
    team, _ = find_roster(planner.rosters, caller, team_id)
    adult = next((each for each in team.staff if each.staff_id == staff_id), None)
    if adult is None:
        raise RequestError("unknown_staff", "staff_id: the team has no such adult", field="staff_id")
    if not may_sign(caller, adult):
        detail = "only the adult's coach, with a key of their own (`keys issue --adult`), and the team's leader do this"
        raise ForbiddenError("not_the_coach", detail)
    today = date.today()  # noqa: DTZ011 - the school's own day
    with planner.database.changing() as connection:
        _require_team(connection, caller, team_id)
        before = read_timelines(connection, team_id).get(staff_id, ())
        after = change(before, today)
        if after != before:
            keep_timeline(connection, team_id, staff_id, after)
            count_change(connection, team_id)  # so that the next plan of every process knows it
            add_entries(connection, [note(staff_id)])
    return _view(team, adult, after, today)


def _require_team(connection: Connection, caller: Caller, team_id: str) -> None:
    if not may_see_team(connection, caller, team_id):
        raise unknown_team()


def _view(team: Team, adult: Staff, timeline: Timeline, day: date) -> Growth:
    """A timeline with what the adult led in each of its stages."""
    if not timeline:
        return Growth(adult, (), None)
    now = timeline.index(find_stage(timeline, day))
    starts = [timeline[0].from_date, *(stage.held_from or day for stage in timeline[1 : now + 1])]
    ends = [*(start - timedelta(days=1) for start in starts[1:]), day]
    return Growth(adult, tuple(_serve(team, adult, timeline, starts, ends, day)), now)


def _serve(
    team: Team, adult: Staff, timeline: Timeline, starts: list[date], ends: list[date], day: date
) -> Iterator[Served]:
    for at, stage in enumerate(timeline):
        if at >= len(starts):
            late = 0 if stage.signed_on is not None else max(0, (day - stage.from_date).days)
            yield Served(stage, None, late, 0, 0)
            continue
        led = [
            len(past.students)
            for past in team.past_sessions
            if past.staff_id == adult.staff_id and starts[at] <= past.date <= ends[at]
        ]
        yield Served(stage, starts[at], 0, len(led), max(led, default=0))
