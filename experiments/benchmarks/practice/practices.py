"""The practice around the plan through school days in a row: does each dial move its figure, and what does need pay?

Simulated schools are planned as the service states their days, with what was held as history, once for each dial: goals
of students, wishes, adults' own words about whom they know, a coach who observes, and a trainee's stage. Each day is
planned without the dial too, after the same days, so that all that differs is the dial.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.planner.days.run import Proposed, Standstill, StatedDay, run_days, state_day
from experiments.benchmarks.planner.days.schools import OpenSchool, keep_models, open_school
from experiments.benchmarks.planner.series import need_met
from features.console import track, write_json
from features.errors import InputError
from features.roster import PolicyLayer
from serving.grouping import Budget, Need, Problem, Session, find_violations, score_plan, suggest_groups
from serving.plans.need.needs import list_candidates
from serving.plans.rules.policy import load_policy
from serving.settings import Settings
from serving.store.practice.growth import Stage
from serving.store.practice.of_team import Practice
from serving.store.practice.wishes import StoredWish

KIND = "demo"

BUDGET = Budget(rounds=3000, bound_rounds=0)
"""Rounds instead of a clock, so that a busy machine changes no figure."""

MET_LEAST = 0.95
"""Need met beside the same days without the dial, which is asked of every dial but the stage, a hard rule."""

STAGE_MOST, OBSERVATIONS = 2, 1
"""Students of a group at the trainee's stage, and sessions a week that the coach should observe."""

RESAMPLED = 1000

FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
NOBODY = "0" * 16
"""Id of the key that wrote what the schools never stored."""

Measure = Callable[[Problem, Sequence[Session]], float]
"""The figure of a dial, of a day's problem with the dial and any sessions of the day."""


@dataclass(frozen=True)
class Dial:
    """One thing that teams may do around the plan.

    Attributes:
        name: Its name.
        figure: What its figure counts.
        turn: Gives the school with it.
        measure: The figure.
        sign: 1 where the figure should grow, -1 where it should fall.
        soft: Whether need met is asked to stay near what it is without it.
    """

    name: str
    figure: str
    turn: Callable[[OpenSchool, np.random.Generator], OpenSchool]
    measure: Callable[[OpenSchool], Measure]
    sign: int = 1
    soft: bool = True


@dataclass
class Days:
    """What a dial did in one school, day by day.

    Attributes:
        dial: Its name.
        seed: Seed of the school.
        figure: The figure of each day with the dial.
        without: The same of the days planned without it.
        met: Need points met on each day with the dial.
        met_without: The same without it.
        broken: Hard rules that a plan breaks.
    """

    dial: str
    seed: int
    figure: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)
    met: list[float] = field(default_factory=list)
    met_without: list[float] = field(default_factory=list)
    broken: int = 0


def benchmark_practice(seeds: int, days: int, models: Path | None = None, json_path: Path | None = None) -> int:
    """Prints what each dial does; the exit code is 1 if one moves its figure wrongly or need pays more than it may.

    Args:
        seeds: Schools.
        days: School days in a row.
        models: A folder where the trained models are kept, or taken from; null = trained anew.
        json_path: Where the figures are written too.

    Raises:
        InputError: There is nothing to plan.
    """
    if seeds < 1 or days < 1:
        raise InputError(f"--seeds {seeds} and --days {days} must be above 0")
    with keep_models(models) as folder:
        schools = [open_school(KIND, seed, folder) for seed in range(1, seeds + 1)]
        turns = [(dial, school) for school in schools for dial in DIALS]
        rows = [measure_dial(dial, school, days) for dial, school in track(turns, "dials", total=len(turns))]
    figures = {dial.name: summarize(dial, [row for row in rows if row.dial == dial.name]) for dial in DIALS}
    print_tables(_show(figures))
    write_json(json_path, {"seeds": seeds, "days": days, "dials": figures})
    return 0 if all(figure["as_asked"] for figure in figures.values()) else 1


def measure_dial(dial: Dial, school: OpenSchool, days: int) -> Days:
    """Plans a school's days with a dial, and each of them without it after the same days."""
    turned = dial.turn(school, np.random.default_rng(school.seed))
    found, measure = Days(dial.name, school.seed), dial.measure(turned)

    def plan(stated: StatedDay) -> Proposed:
        plain = state_day(school, Standstill(school.forecasts), stated.history, stated.number).problem
        with_it, without = suggest_groups(stated.problem, BUDGET), suggest_groups(plain, BUDGET)
        found.broken += len(find_violations(stated.problem, with_it.sessions))
        found.figure.append(measure(stated.problem, with_it.sessions))
        found.without.append(measure(stated.problem, without.sessions))
        found.met.append(need_met(plain, with_it.sessions))
        found.met_without.append(need_met(plain, without.sessions))
        return with_it.sessions, with_it

    for _ in run_days(turned, plan, days):
        pass
    return found


def summarize(dial: Dial, rows: Sequence[Days]) -> dict[str, Any]:
    """The figures of a dial over all schools and days, with 95 % intervals over resampled days."""
    figure, without, met, met_without = (
        np.array([value for row in rows for value in getattr(row, name)])
        for name in ("figure", "without", "met", "met_without")
    )
    drawn = np.random.default_rng(0).integers(0, len(figure), (RESAMPLED, len(figure)))
    change, share = (figure - without)[drawn].mean(axis=1), met[drawn].sum(axis=1) / met_without[drawn].sum(axis=1)
    need = float(met.sum() / met_without.sum())
    moved, broken = float((figure - without).mean()), sum(row.broken for row in rows)
    return {
        "with": float(figure.mean()),
        "without": float(without.mean()),
        "change": moved,
        "change_interval": np.percentile(change, [2.5, 97.5]).tolist(),
        "need_met_share": need,
        "need_met_interval": np.percentile(share, [2.5, 97.5]).tolist(),
        "rules_broken": broken,
        "as_asked": dial.sign * moved > 0 and not broken and (need >= MET_LEAST or not dial.soft),
    }


def _set_goals(school: OpenSchool, draw: np.random.Generator) -> OpenSchool:
    """Every student has the second greatest need of the first day as a goal."""
    del draw
    needs: dict[str, list[Need]] = {}
    most, policy = Settings.model_fields["max_candidates"].default, load_policy().need
    for candidate in list_candidates(school.team, school.skills, school.forecasts, policy, most, school.as_of):
        needs.setdefault(candidate.need.student, []).append(candidate.need)
    for mine in needs.values():
        mine.sort(key=lambda need: (-need.urgent, -need.need, need.skill))
    goals = {(student, mine[1].skill) for student, mine in needs.items() if len(mine) > 1}
    return replace(school, practice=Practice(goals=frozenset(goals)))


def _count_goals(school: OpenSchool) -> Measure:
    goals = school.practice.goals
    return lambda _, sessions: sum((student, s.skill) in goals for s in sessions for student in s.students)


def _wish(school: OpenSchool, draw: np.random.Generator) -> OpenSchool:
    """Every second student wishes for another student, an adult, a skill of the log, or a room."""
    members, adults = list(school.team.members), [adult.staff_id for adult in school.team.staff]
    skills = sorted({forecast.skill for forecast in school.forecasts})
    rooms = [room.room_id for room in school.team.rooms]

    def make() -> Iterator[StoredWish]:
        for at, student in enumerate(members[::2]):
            others = [each for each in members if each != student]
            named = [str(each[draw.integers(len(each))]) for each in (others, adults, skills, rooms)]
            other, adult, skill, room = (name if at % 4 == kind else None for kind, name in enumerate(named))
            yield StoredWish(
                wish_id=f"{at:032}",
                student_id=student,
                other_student_id=other,
                staff_id=adult,
                skill_id=skill,
                room_id=room,
                wished_at=datetime.now(UTC),
                until=LAST,
                key_id=NOBODY,
            )

    return replace(school, practice=Practice(wishes=tuple(make())))


def _count_term(name: str) -> Measure:
    return lambda problem, sessions: next(
        term.value for term in score_plan(problem, tuple(sessions)).terms if term.name == name
    )


def _mark(school: OpenSchool, draw: np.random.Generator) -> OpenSchool:
    """Every adult says to know about half of the students."""
    pairs = [(student, adult.staff_id) for student in school.team.members for adult in school.team.staff]
    return replace(school, practice=Practice(marks=frozenset(pair for pair in pairs if draw.random() < 1 / 2)))


def _count_new(school: OpenSchool) -> Measure:
    """Pairs of student and lead who meet, of which the adult does not say to know the student."""
    marks = school.practice.marks
    return lambda _, sessions: len(
        {(student, s.adults[0]) for s in sessions if s.led for student in s.students} - marks
    )


def _observe(school: OpenSchool, draw: np.random.Generator) -> OpenSchool:
    """Coaches observe whom they coach as often as the team says."""
    del draw
    layer = PolicyLayer(school.team.team_id, {"observations_per_week": OBSERVATIONS})
    return replace(school, team=replace(school.team, policies=(*school.team.policies, layer)))


def _count_observed(school: OpenSchool) -> Measure:
    pairs = {(adult.staff_id, adult.coach) for adult in school.team.staff if adult.coach}
    return lambda _, sessions: sum((s.adults[0], other) in pairs for s in sessions if s.led for other in s.adults[1:])


def _limit(school: OpenSchool, draw: np.random.Generator) -> OpenSchool:
    """Who is coached leads small groups of a stage."""
    del draw
    stage = Stage("lead", STAGE_MOST, FIRST, None, None, NOBODY)
    timelines = {adult.staff_id: (stage,) for adult in school.team.staff if adult.coach}
    return replace(school, practice=Practice(timelines=timelines))


def _count_beyond(school: OpenSchool) -> Measure:
    staged = school.practice.timelines
    return lambda _, sessions: sum(s.led and s.adults[0] in staged and len(s.students) > STAGE_MOST for s in sessions)


DIALS = (
    Dial("goals", "seats a day on a goal", _set_goals, _count_goals),
    Dial("wishes", "wishes met a day", _wish, lambda _: _count_term("wishes")),
    Dial("marks", "meetings a day with adults who do not say to know the student", _mark, _count_new),
    Dial("observers", "sessions a day that the coach observes", _observe, _count_observed),
    Dial("stage", "sessions a day beyond the trainee's stage", _limit, _count_beyond, sign=-1, soft=False),
)


def _show(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    table = make_table(
        "the practice around the plan", ["dial", "figure"], ("without", "with", "change", "need met", "as asked")
    )
    for dial in DIALS:
        found = figures[dial.name]
        low, high = found["change_interval"]
        worst, best = found["need_met_interval"]
        table.add_row(
            dial.name,
            dial.figure,
            f"{found['without']:.2f}",
            f"{found['with']:.2f}",
            f"{found['change']:+.2f} ({low:+.2f} to {high:+.2f})",
            f"{found['need_met_share']:.1%} ({worst:.1%} to {best:.1%})",
            "yes" if found["as_asked"] else "NO",
        )
    return table
