"""Continuity through random absences: is a tutoring series kept, and how many seats move within a week of one grouping?

Simulated schools are planned for six weeks, as the service states their days, with what was held as history; students
and adults are away at random, and needs stay as they are. Two students who need most of the same skills are tutored
three times a week by one adult, and each such day is planned without the series too. Then the same team regroups
weekly: the first day of each week freely, the others with its grouping, and each of these freely too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import combinations
from pathlib import Path

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.planner.days.run import SCHOOL_WEEK, Proposed, StatedDay, run_days
from experiments.benchmarks.planner.days.schools import OpenSchool, keep_models, open_school
from features.console import track, write_json
from features.errors import InputError
from features.roster import Series, Staff
from serving.grouping import Budget, Plan, Problem, Session, SessionType, find_violations, score_plan, suggest_groups
from serving.plans.cycles.cycle import Grouping, carry_grouping, read_grouping
from serving.plans.cycles.series import Unit, find_due, plan_with_series
from serving.plans.need.needs import list_candidates
from serving.plans.rules.policy import load_policy
from serving.settings import Settings

KIND = "demo"
PER_WEEK, SKILLS = 3, 4
"""Sessions a week of the series, and skills of its unit."""

BUDGET = Budget(rounds=3000, bound_rounds=0)
"""Rounds instead of a clock, so that a busy machine changes no figure."""

KEPT_LEAST, MET_LEAST, CHANGED_MOST = 0.95, 0.95, 0.10
"""What is asked: days on which a series is kept, need met beside the days without it, and seats changed in a week."""


@dataclass
class Figures:
    """What happened in one school; sums over its days.

    Attributes:
        seed: Seed of the school and its absences.
        wanted: Sessions that the series wants.
        due: Days on which one was due, those to make up for others included.
        kept: Of these, days on which it was held.
        lead_away: Of the others, days on which its adult was not there.
        met: Need points met on days with the series.
        met_without: The same of these days planned without it.
        seats: Seats on the later days of weeks of who sat in the same block of the first day.
        changed: Of these, seats of another type, skill or adult than on the first day.
        forced: Of these, seats that could not stay, since their adult is not there.
        cycle_met: Need points met on later days of weeks.
        cycle_met_free: The same of these days regrouped freely.
        broken: Hard rules that a plan breaks.
    """

    seed: int
    wanted: int
    due: int = 0
    kept: int = 0
    lead_away: int = 0
    met: float = 0.0
    met_without: float = 0.0
    seats: int = 0
    changed: int = 0
    forced: int = 0
    cycle_met: float = 0.0
    cycle_met_free: float = 0.0
    broken: int = 0


def benchmark_series(seeds: int, weeks: int, models: Path | None = None, json_path: Path | None = None) -> int:
    """Prints the figures of every school; the exit code is 1 if what is asked is missed or a plan broke a rule.

    Args:
        seeds: Schools.
        weeks: Weeks of five days that are planned.
        models: A folder where the trained models are kept, or taken from; null = trained anew.
        json_path: Where the figures are written too.

    Raises:
        InputError: There is nothing to plan.
    """
    if seeds < 1 or weeks < 1:
        raise InputError(f"--seeds {seeds} and --weeks {weeks} must be above 0")
    with keep_models(models) as folder:
        numbers = range(1, seeds + 1)
        rows = [
            measure_school(open_school(KIND, seed, folder), weeks) for seed in track(numbers, "schools", total=seeds)
        ]
    totals = summarize(rows)
    print_tables(_show(rows, totals))
    write_json(json_path, {"weeks": weeks, "sessions_per_week": PER_WEEK, **totals, "schools": [*map(asdict, rows)]})
    missed = totals["series_kept_share"] < KEPT_LEAST or totals["need_met_share"] < MET_LEAST
    return 1 if missed or totals["seats_changed_share"] > CHANGED_MOST or totals["rules_broken"] else 0


def measure_school(school: OpenSchool, weeks: int) -> Figures:
    """Plans the weeks of a school once with a series, and once with a grouping for each week."""
    figures = Figures(school.seed, PER_WEEK * weeks)
    for policy in (_WithSeries(choose_series(school), know_unit(school), figures), _Weekly(know_unit(school), figures)):
        for _ in run_days(school, policy, weeks * SCHOOL_WEEK):
            pass
    return figures


def summarize(rows: Sequence[Figures]) -> dict[str, float]:
    """Returns the figures of all schools together."""

    def share(part: str, whole: str) -> float:
        parts, wholes = (sum(float(getattr(row, name)) for row in rows) for name in (part, whole))
        return parts / wholes if wholes else 1.0

    return {
        "series_kept_share": share("kept", "wanted"),
        "kept_when_due_share": share("kept", "due"),
        "need_met_share": share("met", "met_without"),
        "seats_changed_share": share("changed", "seats"),
        "seats_forced_share": share("forced", "seats"),
        "cycle_need_met_share": share("cycle_met", "cycle_met_free"),
        "rules_broken": sum(row.broken for row in rows),
    }


def know_unit(school: OpenSchool) -> Unit:
    """Returns what series and cycles ask of a school's students."""
    forecasts = {(forecast.student, forecast.skill): forecast for forecast in school.forecasts}
    names = {skill.skill_id: skill.name or skill.skill_id for skill in school.skills.skills.values()}
    return Unit(forecasts, load_policy().need.extend, names)


def choose_series(school: OpenSchool) -> Series:
    """Returns the series of the two students who need most of the same skills, by the needs that the service finds.

    It is led by an adult who leads nothing larger, if the team has one.
    """
    most, policy = Settings.model_fields["max_candidates"].default, load_policy().need
    needs: dict[str, dict[str, float]] = {student: {} for student in school.team.members}
    for candidate in list_candidates(school.team, school.skills, school.forecasts, policy, most, school.as_of):
        needs[candidate.need.student][candidate.need.skill] = candidate.need.need

    def share_skills(one: str, other: str) -> list[tuple[float, str]]:
        common = needs[one].keys() & needs[other].keys()
        return sorted(((min(needs[one][skill], needs[other][skill]), skill) for skill in common), reverse=True)[:SKILLS]

    pair = max(
        combinations(school.team.members, 2), key=lambda pair: (sum(need for need, _ in share_skills(*pair)), pair)
    )
    unit = tuple(skill for _, skill in share_skills(*pair))
    lead = min(school.team.staff, key=lambda adult: (not _may_tutor(adult, unit), len(adult.may_lead), adult.staff_id))
    return Series(
        "tutoring", school.team.team_id, pair, lead.staff_id, unit, school.as_of.date(), date.max,
        sessions_per_week=PER_WEEK,
    )  # fmt: skip


def _may_tutor(adult: Staff, unit: Sequence[str]) -> bool:
    return SessionType.TUTORING in adult.may_lead and (adult.skills is None or set(unit) <= set(adult.skills))


def need_met(problem: Problem, sessions: tuple[Session, ...]) -> float:
    """Returns the points of a plan for needs, urgent ones included, by a problem without series.

    Whose turn it is counts in the plan, not here: an urgent need is one, however long the student has waited.
    """
    once = replace(problem, needs=tuple(replace(need, urgent=min(need.urgent, 1.0)) for need in problem.needs))
    return sum(term.points for term in score_plan(once, sessions).terms if term.name in {"benefit", "urgent"})


def _solve(problem: Problem) -> Plan:
    return suggest_groups(problem, BUDGET)


@dataclass
class _WithSeries:
    """A policy that holds one series."""

    series: Series
    unit: Unit
    figures: Figures

    def __call__(self, stated: StatedDay) -> Proposed:
        """Plans a day with the series; where it is due, also without it."""
        due, _ = find_due((self.series,), stated.team, stated.day, self.unit)
        day, plan = plan_with_series(stated.problem, due, self.unit, _solve)
        self.figures.broken += len(find_violations(day.problem, plan.sessions))
        if due:
            self.figures.due += 1
            self.figures.kept += bool(day.held)
            self.figures.lead_away += not _blocks_of(stated.problem)[self.series.staff_id]
            self.figures.met += need_met(stated.problem, plan.sessions)
            self.figures.met_without += need_met(stated.problem, _solve(stated.problem).sessions)
        return plan.sessions, plan


@dataclass
class _Weekly:
    """A policy that keeps the grouping of each week's first day."""

    unit: Unit
    figures: Figures
    grouping: Grouping | None = field(default=None)

    def __call__(self, stated: StatedDay) -> Proposed:
        """Plans a day freely where a week begins, else in its grouping and, to compare, freely too."""
        first = stated.number % SCHOOL_WEEK == 0
        grouping = None if first else self.grouping
        problem = carry_grouping(stated.problem, grouping, self.unit)
        plan = _solve(problem)
        self.figures.broken += len(find_violations(problem, plan.sessions))
        if grouping is None:
            self.grouping = read_grouping(problem, plan.sessions, ())
            return plan.sessions, plan
        self._compare(stated.problem, grouping, plan.sessions)
        self.figures.cycle_met += need_met(stated.problem, plan.sessions)
        self.figures.cycle_met_free += need_met(stated.problem, _solve(stated.problem).sessions)
        return plan.sessions, plan

    def _compare(self, problem: Problem, grouping: Grouping, sessions: Sequence[Session]) -> None:
        places = dict(zip(grouping.blocks, (block.id for block in problem.blocks), strict=True))
        now, there = _read_seats(sessions, {block: block for block in places.values()}), _blocks_of(problem)
        for place, seat in _read_seats(grouping.sessions, places).items():
            if place in now:
                self.figures.seats += 1
                self.figures.changed += now[place] != seat
                self.figures.forced += seat[2] is not None and place[1] not in there[seat[2]]


Seat = tuple[str, str | None, str | None]
"""Type, skill and lead; the last two are null online."""


def _read_seats(sessions: Sequence[Session], places: Mapping[str, str]) -> dict[tuple[str, str], Seat]:
    return {
        (student, places[session.block]): (
            session.session_type,
            session.skill,
            session.adults[0] if session.led else None,
        )
        for session in sessions
        for student in session.students
    }


def _blocks_of(problem: Problem) -> dict[str, frozenset[str]]:
    return {adult.id: adult.blocks for adult in problem.adults}


def _show(rows: Sequence[Figures], totals: Mapping[str, float]) -> Table:
    names = (
        "days kept",
        "of wanted",
        "of due",
        "lead away",
        "need met",
        "seats changed",
        "forced",
        "need met in a week",
    )
    table = make_table("continuity through random absences", ["school"], names)
    for row in rows:
        mine = summarize([row])
        table.add_row(str(row.seed), str(row.kept), str(row.wanted), str(row.due), str(row.lead_away), *_cells(mine))
    kept = f"{totals['series_kept_share']:.1%}"
    table.add_row("all", kept, "", f"{totals['kept_when_due_share']:.1%}", "", *_cells(totals))
    return table


def _cells(figures: Mapping[str, float]) -> tuple[str, ...]:
    names = ("need_met_share", "seats_changed_share", "seats_forced_share", "cycle_need_met_share")
    return tuple(f"{figures[name]:.1%}" for name in names)
